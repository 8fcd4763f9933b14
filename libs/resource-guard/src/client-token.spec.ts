import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { clientToken } from './client-token.js'

describe('a client’s own token', () => {
  let server: Server
  let asked: { readonly headers: IncomingHttpHeaders; readonly form: string }[]
  let answer: (response: ServerResponse) => void
  beforeEach(async () => {
    asked = []
    answer = gives(600)
    server = createServer(async (request, response) => {
      asked.push({ headers: request.headers, form: await text(request) })
      answer(response)
    })
    await new Promise<void>(resolve => server.listen(0, resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const gives = (seconds: number) => (response: ServerResponse) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: `token-${asked.length}`, expires_in: seconds }))
  }
  const endpoint = () => `http://localhost:${(server.address() as AddressInfo).port}/token`
  const open = (tokenEndpoint: string | (() => Promise<string>) = endpoint()) =>
    clientToken({
      tokenEndpoint,
      clientId: 'a b',
      clientSecret: 's:ß',
      resource: 'urn:platform',
      scope: 'revocations:read',
    })

  it('is asked for by client credentials, and kept', async () => {
    const token = open()
    expect([await token(), await token()]).toEqual(['token-1', 'token-1'])
    const [{ headers, form } = { headers: {}, form: '' }, ...more] = asked
    expect(more).toEqual([])
    // RFC 6749 §2.3.1: both halves are encoded like a form
    expect(atob(headers.authorization?.slice('Basic '.length) ?? '')).toBe('a%20b:s%3A%C3%9F')
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'client_credentials',
      resource: 'urn:platform',
      scope: 'revocations:read',
    })
  })

  it('is another one when the last was refused, or nearly expires', async () => {
    const token = open(async () => endpoint())
    expect(await token()).toBe('token-1')
    expect(await token('an older one')).toBe('token-1')
    answer = gives(20)
    expect(await token('token-1')).toBe('token-2')
    expect(await token()).toBe('token-3')
  })

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['a refusal', response => response.writeHead(401).end('{}'), /\/token answers 401$/],
    ['no token', response => response.end('{}'), /gives no access token$/],
  ])('is none after %s, and asked for again', async (_, wrong, says) => {
    const token = open()
    answer = wrong
    await expect(token()).rejects.toThrow(says)
    answer = gives(600)
    expect(await token()).toBe('token-2')
  })
})
