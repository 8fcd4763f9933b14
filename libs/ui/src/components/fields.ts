import { attributes, type Html, html } from '../html.js'
import { icon } from '../icons.js'
import { badge } from './content.js'
import { type MonogramKind, monogram } from './monogram.js'

export interface TextFieldOptions {
  /** Also the element's id; unique on the page. */
  name: string
  label: string
  type?: 'text' | 'email' | 'password' | 'url' | 'tel'
  value?: string
  hint?: string
  /** What is wrong with the value and how to put it right. */
  error?: string
  /** HTML autofill token such as `username` or `current-password` (WCAG 1.3.5). */
  autocomplete?: string
  inputmode?: 'text' | 'numeric' | 'email'
  required?: boolean
  maxlength?: number
}

export function textField({ name, label, type = 'text', hint, error, ...rest }: TextFieldOptions): Html {
  const input = attributes({
    id: name,
    name,
    type,
    class: 'input',
    'aria-describedby': describedBy(name, hint, error),
    'aria-invalid': error === undefined ? undefined : 'true',
    spellcheck: 'false',
    autocapitalize: type === 'text' ? undefined : 'none',
    ...rest,
  })
  return html`<div class="field"><label class="label" for="${name}">${label}</label>${hintAndError(name, hint, error)}<input${input}></div>`
}

export interface RadioCard {
  value: string
  title: string
  description?: string
  /** What stands behind the choice; its monogram is shown. */
  of?: MonogramKind
  checked?: boolean
}

/** A choice of one, each with words of explanation: for whom a grant is given. */
export function radioCards({ legend, name, options, hint, error }: ChoiceOptions<RadioCard>): Html {
  return html`<fieldset class="choices"${attributes({ 'aria-describedby': describedBy(name, hint, error) })}><legend class="legend">${legend}</legend>${hintAndError(name, hint, error)}<div class="choice-list">${options.map(
    option =>
      html`<label class="choice"><input type="radio" name="${name}" value="${option.value}" required${attributes({ checked: option.checked })}>${option.of && monogram({ name: option.title, kind: option.of, size: 'small' })}<span class="choice-words"><span class="choice-title">${option.title}</span>${option.description !== undefined && html`<span class="choice-text">${option.description}</span>`}</span></label>`,
  )}</div></fieldset>`
}

export interface ScopeChoice {
  /** The scope's value in the protocol. */
  value: string
  /** What it lets the client do, in words a person reads ("See your invoices"). */
  words: string
  detail?: string
  /** `write`: the client can change something. */
  access: 'read' | 'write'
  /** The client can not work without it: shown as given, not as a choice. */
  required?: boolean
  checked?: boolean
}

/** Scopes in words, each a checkbox unless it is required; reading and changing are told apart by icon and by word. */
export function scopeChoices({ legend, name, options, hint, error }: ChoiceOptions<ScopeChoice>): Html {
  return html`<fieldset class="choices"${attributes({ 'aria-describedby': describedBy(name, hint, error) })}><legend class="legend">${legend}</legend>${hintAndError(name, hint, error)}<div class="scopes">${options.map(
    scope => {
      const state = attributes({ checked: scope.checked ?? true })
      return scope.required
        ? html`<div class="scope">${scopeWords(scope)}<input type="hidden" name="${name}" value="${scope.value}"><span class="scope-given">Needed</span></div>`
        : html`<label class="scope">${scopeWords(scope)}<input type="checkbox" name="${name}" value="${scope.value}"${state}></label>`
    },
  )}</div></fieldset>`
}

/** Scopes in words where nothing is to be chosen, such as on "your grants". */
export function scopeList(scopes: readonly Pick<ScopeChoice, 'words' | 'detail' | 'access'>[]): Html {
  return html`<ul class="scopes">${scopes.map(scope => html`<li class="scope">${scopeWords(scope)}</li>`)}</ul>`
}

interface ChoiceOptions<Option> {
  legend: string
  name: string
  options: readonly Option[]
  hint?: string
  error?: string
}

function scopeWords({ words, detail, access }: Pick<ScopeChoice, 'words' | 'detail' | 'access'>): Html {
  const label = access === 'write' ? 'Change' : 'View'
  return html`<span class="scope-icon scope-${access}">${icon(access)}</span><span class="scope-words"><span class="scope-title">${words} ${badge({ label, kind: access === 'write' ? 'warning' : 'neutral' })}</span>${detail !== undefined && html`<span class="scope-detail">${detail}</span>`}</span>`
}

function describedBy(name: string, hint?: string, error?: string): string | undefined {
  const ids = [hint !== undefined && `${name}-hint`, error !== undefined && `${name}-error`].filter(
    id => id !== false,
  )
  return ids.length > 0 ? ids.join(' ') : undefined
}

function hintAndError(name: string, hint?: string, error?: string): Html {
  return html`${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}${
    error !== undefined && html`<p class="field-error" id="${name}-error">${icon('alert')}${error}</p>`
  }`
}
