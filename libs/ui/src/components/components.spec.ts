import { describe, expect, test } from '@jest/globals'
import { errorPage } from '../error-page.js'
import { page } from '../page.js'
import { previews } from '../preview/index.js'
import { button, form } from './actions.js'
import { moment, notice, table } from './content.js'
import { radioCards, scopeChoices, textField } from './fields.js'
import { monogram } from './monogram.js'
import { timeline } from './timeline.js'

const attack = '"><img src=x onerror=alert(1)>'

describe('components', () => {
  test('a form posts and carries its hidden fields and the csrf token', () => {
    const markup = form(
      { action: '/consent', csrf: 't"1', hidden: { request: 'r1' } },
      button({ label: 'Allow' }),
    ).toString()
    expect(markup).toContain('action="/consent" method="post"')
    expect(markup).toContain('<input type="hidden" name="request" value="r1">')
    expect(markup).toContain('<input type="hidden" name="csrf" value="t&quot;1">')
  })

  test('a text field is bound to its label, hint and error', () => {
    const markup = textField({
      name: 'email',
      label: 'E-mail',
      hint: 'Work one',
      error: 'Enter it',
      autocomplete: 'username',
    }).toString()
    expect(markup).toContain('<label class="label" for="email">')
    expect(markup).toContain('aria-describedby="email-hint email-error"')
    expect(markup).toContain('id="email-hint"')
    expect(markup).toContain('id="email-error"')
    expect(markup).toContain('aria-invalid="true"')
    expect(markup).toContain('autocomplete="username"')
  })

  test('a text field without hint or error refers to nothing', () => {
    expect(textField({ name: 'a', label: 'A' }).toString()).not.toMatch(/aria-(describedby|invalid)/)
  })

  test('a choice is checked only where the caller says so', () => {
    const markup = radioCards({
      legend: 'For whom',
      name: 'owner',
      options: [
        { value: 'a', title: 'A' },
        { value: 'b', title: 'B', checked: true },
      ],
    }).toString()
    expect(markup.match(/ checked/g)).toHaveLength(1)
    expect(markup).toMatch(/value="b" required checked/)
  })

  test('a required scope is sent without a checkbox; writing is told in words', () => {
    const markup = scopeChoices({
      legend: 'What',
      name: 'scope',
      options: [
        { value: 'r', words: 'See', access: 'read', required: true },
        { value: 'w', words: 'Edit', access: 'write' },
      ],
    }).toString()
    expect(markup).toContain('<input type="hidden" name="scope" value="r">')
    expect(markup).toContain('<input type="checkbox" name="scope" value="w" checked>')
    expect(markup).toMatch(/Edit.*Change/)
  })

  test('a danger interrupts, other notices wait', () => {
    expect(notice({ kind: 'danger', body: 'x' }).toString()).toContain('role="alert"')
    expect(notice({ kind: 'success', body: 'x' }).toString()).toContain('role="status"')
  })

  test('a table names each cell by its column, for phones', () => {
    expect(table({ caption: 'c', columns: ['Name', 'Due'], rows: [['A', 'B']] }).toString()).toContain(
      'data-label="Due"',
    )
  })

  test('a timeline draws each step where the one before it ended', () => {
    const markup = timeline([
      { label: 'a', status: 'ok', ms: 75 },
      { label: 'b', status: 'fail', ms: 25 },
    ]).toString()
    expect(markup).toContain('x="0" width="75"')
    expect(markup).toContain('x="75" width="25"')
    expect(markup).toContain('(failed)')
  })

  test('a timeline draws no bars when a duration is unknown', () => {
    expect(
      timeline([
        { label: 'a', status: 'ok', ms: 5 },
        { label: 'b', status: 'pending' },
      ]).toString(),
    ).not.toContain('step-bar')
  })

  test('a monogram takes whole graphemes and survives an empty name', () => {
    expect(monogram({ name: '👩‍🌾 farm', kind: 'client' }).toString()).toContain('>👩‍🌾F<')
    expect(monogram({ name: '', kind: 'client' }).toString()).toContain('></span>')
  })

  test('a moment is told in UTC', () => {
    expect(moment(new Date('2026-02-22T23:30:00Z'), { withTime: true }).toString()).toBe(
      '<time datetime="2026-02-22T23:30:00.000Z">22 February 2026 at 23:30 UTC</time>',
    )
  })
})

describe('pages', () => {
  test('the shell and the error page escape all that is passed in', () => {
    const all = page({
      title: attack,
      body: attack,
      service: attack,
      user: { name: attack, signOut: { action: attack, csrf: attack } },
      nav: [{ label: attack, href: attack }],
      lang: attack,
      script: attack,
    })
    const error = errorPage({ title: attack, message: attack, hint: attack, reference: attack })
    expect(all + error).not.toContain('<img')
  })

  test.each(Object.entries(previews))('%s holds nothing that the CSP would block', (_name, render) => {
    const document = render()
    expect(document).toMatch(/^<!doctype html>\n<html lang="en">/)
    // a part of a page is headed by the page
    const heads = document.includes('class="fragment"') ? 0 : 1
    expect(document.match(/<h1>/g) ?? []).toHaveLength(heads)
    expect(document).not.toMatch(/<[^>]+\s(style|on[a-z]+)=|<script|<link rel="stylesheet"|@import|url\(/)
  })
})
