import { describe, expect, test } from '@jest/globals'
import { attributes, type HtmlValue, html, raw, safeUrl } from './html.js'

const attack = `"><script>alert('x')</script>&`
const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;'

describe('html', () => {
  test('escapes text', () => {
    expect(`${html`<p>${attack}</p>`}`).toBe(`<p>${escaped}</p>`)
  })

  test.each([
    ['double-quoted', html`<i title="${attack}">x</i>`, `<i title="${escaped}">x</i>`],
    ['single-quoted', html`<i title='${attack}'>x</i>`, `<i title='${escaped}'>x</i>`],
    ['in the middle of a value', html`<i class="a ${attack}">x</i>`, `<i class="a ${escaped}">x</i>`],
    ['by attributes()', html`<i${attributes({ title: attack })}>x</i>`, `<i title="${escaped}">x</i>`],
  ])('escapes a %s attribute', (_where, markup, expected) => {
    expect(markup.toString()).toBe(expected)
  })

  test('nests markup and arrays without escaping them twice', () => {
    const items = ['a<b', html`<b>${'c&d'}</b>`, 3, 4n]
    expect(`${html`<ul>${items.map(item => html`<li>${item}</li>`)}</ul>`}`).toBe(
      '<ul><li>a&lt;b</li><li><b>c&amp;d</b></li><li>3</li><li>4</li></ul>',
    )
  })

  test('prints nothing for undefined, null and false, and 0 for zero', () => {
    expect(`${html`[${undefined}${null}${false}${[]}${0}]`}`).toBe('[0]')
  })

  test('prints raw markup as it is', () => {
    expect(`${html`${raw('<b>x</b>')}`}`).toBe('<b>x</b>')
  })

  test.each([
    ['href', (url: string) => html`<a href="${url}">x</a>`],
    ['action', (url: string) => html`<form action='${url}'></form>`],
    ['src after other attributes', (url: string) => html`<img alt="a > b" src="${url}">`],
    ['href in capitals', (url: string) => html`<a HREF="${url}">x</a>`],
    ['href by attributes()', (url: string) => html`<a${attributes({ href: url })}>x</a>`],
  ])('lets no script URL into %s', (_name, link) => {
    expect(link('javascript:alert(1)').toString()).toMatch(/["']#blocked["']/)
    expect(link('/grants?a=1&b=2').toString()).toContain('/grants?a=1&amp;b=2')
  })

  test.each<[string, () => unknown]>([
    ['an unquoted attribute', () => html`<a title=${'x'}>`],
    ['an event handler', () => html`<a onclick="${'x'}">`],
    ['an event handler in capitals', () => html`<a ONCLICK="${'x'}">`],
    ['a style attribute', () => html`<a style="${'x'}">`],
    ['a srcdoc attribute', () => html`<iframe srcdoc="${'x'}"></iframe>`],
    ['the inside of a script', () => html`<script>${'x'}</script>`],
    ['the inside of a style', () => html`<style>${'x'}</style>`],
    ['a plain string in a tag', () => html`<a ${'onclick=x'}>`],
    ['markup in an attribute', () => html`<a title="${html`<b>"</b>`}">`],
    ['an attribute name with a space', () => attributes({ 'a onclick': 'x' })],
    ['an event handler by attributes()', () => attributes({ onclick: 'x' })],
    ['a value that is no HtmlValue', () => html`${JSON.parse('{"a":1}') as HtmlValue}`],
  ])('refuses %s', (_what, make) => {
    expect(make).toThrow(TypeError)
  })
})

describe('attributes', () => {
  test('prints true as a bare name and leaves out false and undefined', () => {
    expect(`${attributes({ required: true, checked: false, id: undefined, rows: 0, value: '' })}`).toBe(
      ' required rows="0" value=""',
    )
  })
})

describe('safeUrl', () => {
  test.each([
    'https://a.example/x?y#z',
    'http://127.0.0.1:20000/',
    '/x',
    'x/y',
    '?a=b',
    '#top',
    '',
    '//a.example/x',
  ])('lets %j through', url => expect(safeUrl(url)).toBe(url))

  test.each([
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'java\tscript:alert(1)',
    '\u0001javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'blob:https://a.example/x',
    'file:///etc/passwd',
    'com.example.app:/callback',
    'https://[',
  ])('blocks %j', url => expect(safeUrl(url)).toBe('#blocked'))
})
