import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { contentSecurityPolicy } from './csp.js'
import { page } from './page.js'

describe('contentSecurityPolicy', () => {
  test('allows nothing but the stylesheet, the favicon and forms to this origin', () => {
    expect(contentSecurityPolicy()).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
  })

  test('names the hash of the styles that the page carries', () => {
    const carried = /<style>(.*?)<\/style>/s.exec(page({ title: 'x', body: 'y' }))?.[1] ?? ''
    const hash = createHash('sha256').update(carried).digest('base64')
    expect(contentSecurityPolicy()).toContain(`style-src 'sha256-${hash}'`)
  })

  test('allows a script and its calls when asked to', () => {
    const policy = contentSecurityPolicy({ script: 'self', connect: ['self', 'https://token.example/token'] })
    expect(policy).toContain("script-src 'self'; connect-src 'self' https://token.example;")
  })

  test('lets a page show frames of its origin, and only a fragment be shown in one', () => {
    const policy = contentSecurityPolicy({ frames: 'self' })
    expect(policy).toContain("frame-src 'self'; form-action 'self'; frame-ancestors 'none'")
    const framed = contentSecurityPolicy({ framedBy: 'self' })
    expect(framed).toContain("frame-ancestors 'self'")
    expect(framed).not.toContain('frame-src')
  })

  test.each([
    ['an https redirect URI', 'https://app.example/cb?x=1', 'https://app.example'],
    ['a loopback redirect URI (RFC 8252 §7.3)', 'http://127.0.0.1:21000/cb', 'http://127.0.0.1:21000'],
    ['an IPv6 loopback, which CSP can not name', 'http://[::1]:21000/cb', 'http:'],
    ['a private-use scheme (RFC 8252 §7.1)', 'com.example.app:/cb', 'com.example.app:'],
    [
      'a directive smuggled into a path',
      "https://app.example/;script-src 'unsafe-inline'",
      'https://app.example',
    ],
  ])('lets a form end at %s', (_what, uri, source) => {
    expect(contentSecurityPolicy({ formAction: [uri] })).toContain(
      `form-action 'self' ${source}; frame-ancestors`,
    )
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '*',
    'app.example',
    "https://a;b/'unsafe-inline'",
    'https://*.example/cb',
    'https://a,b/',
    'blob:https://app.example/x',
    '',
  ])('refuses %j', uri => expect(() => contentSecurityPolicy({ formAction: [uri] })).toThrow(TypeError))
})
