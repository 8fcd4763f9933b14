import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { remoteKeys } from './keys.js'

const seconds = 1000
const minutes = 60 * seconds

async function jwkOf(kid: string, alg = 'ES256'): Promise<JWK> {
  const { publicKey } = await generateKeyPair(alg)
  return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
}

describe('the keys of an issuer', () => {
  /** What the issuer publishes; undefined: it is out of order. */
  let published: unknown
  let requests = 0
  /** Which freshness each request asked for. */
  let asked: (string | undefined)[] = []
  let time = 0
  let server: Server
  let url = ''

  beforeEach(async () => {
    requests = 0
    asked = []
    time = 0
    server = createServer((request, response) => {
      requests += 1
      asked.push(request.headers['cache-control'])
      response.statusCode = published === undefined ? 503 : 200
      response.end(JSON.stringify(published ?? {}))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  })
  afterEach(async () => {
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  })

  const keys = (from: string | (() => Promise<string>) = url) => remoteKeys(from, { now: () => time })

  it('are read once, however many tokens come at once', async () => {
    published = { keys: [await jwkOf('a')] }
    const find = keys()
    const found = await Promise.all(Array.from({ length: 20 }, () => find('a')))
    expect(found.every(key => key === found[0] && key !== undefined)).toBe(true)
    expect(requests).toBe(1)
  })

  it('are read again for a key that is not known: a rotation is noticed at once', async () => {
    const a = await jwkOf('a')
    published = { keys: [a] }
    const find = keys()
    await find('a')
    published = { keys: [a, await jwkOf('b')] }
    time = 5 * seconds + 1
    expect(await find('b')).toBeDefined()
    expect(requests).toBe(2)
  })

  it('are not taken from a cache on the way', async () => {
    published = { keys: [await jwkOf('a')] }
    await keys()('a')
    expect(asked).toEqual(['no-cache'])
  })

  it.each(['ES256', 'EdDSA', 'PS256', 'RS256'])('may be for %s', async algorithm => {
    published = { keys: [await jwkOf('a', algorithm)] }
    expect(await keys()('a')).toBeDefined()
  })

  it('are not read for each made-up key: at most every five seconds', async () => {
    published = { keys: [await jwkOf('a')] }
    const find = keys()
    for (time = 0; time <= 5 * seconds; time += seconds) expect(await find(`made-up-${time}`)).toBeUndefined()
    expect(requests).toBe(1)
    time = 5 * seconds + 1
    expect(await find('made-up')).toBeUndefined()
    expect(requests).toBe(2)
  })

  it('forget after ten minutes what the issuer no longer publishes', async () => {
    const b = await jwkOf('b')
    published = { keys: [await jwkOf('a'), b] }
    const find = keys()
    expect(await find('a')).toBeDefined()
    published = { keys: [b] }
    time = 10 * minutes
    expect(await find('a')).toBeDefined()
    time += 1
    await find('a') // is answered from what is known, and begins to read
    await find('unknown') // waits for the same reading
    expect(requests).toBe(2)
    expect(await find('a')).toBeUndefined()
    expect(await find('b')).toBeDefined()
  })

  it('go on while the issuer is out of order', async () => {
    published = { keys: [await jwkOf('a')] }
    const find = keys()
    await find('a')
    published = undefined
    for (let reading = 2; reading < 6; reading += 1) {
      time += 10 * minutes + 1
      expect(await find('a')).toBeDefined() // and begins to read
      await expect(find('unknown')).rejects.toThrow('answers 503') // waits for the same reading
      expect(requests).toBe(reading)
    }
    expect(await find('a')).toBeDefined()
  })

  it('can not be said not to exist while the issuer is out of order', async () => {
    published = undefined
    const find = keys()
    await expect(find('a')).rejects.toThrow(`${url} answers 503`)
    // also when it is too early to ask again
    time = 1 * seconds
    await expect(find('a')).rejects.toThrow('answers 503')
    expect(requests).toBe(1)
    published = { keys: [await jwkOf('a')] }
    time = 5 * seconds + 1
    expect(await find('a')).toBeDefined()
  })

  it('are refused from an address that redirects, or where nobody answers', async () => {
    await expect(keys('http://127.0.0.1:9/jwks')('a')).rejects.toThrow()
    const redirecting = createServer((_, response) => response.writeHead(302, { location: url }).end())
    await new Promise<void>(resolve => redirecting.listen(0, '127.0.0.1', resolve))
    published = { keys: [await jwkOf('a')] }
    const { port } = redirecting.address() as AddressInfo
    await expect(keys(`http://127.0.0.1:${port}`)('a')).rejects.toThrow()
    redirecting.close()
    redirecting.closeAllConnections()
    expect(requests).toBe(0)
  })

  it('are found at an address that is itself looked up, again after a failure', async () => {
    published = { keys: [await jwkOf('a')] }
    let known = false
    const find = keys(async () => {
      if (!known) throw new Error('the metadata can not be read')
      return url
    })
    await expect(find('a')).rejects.toThrow('the metadata can not be read')
    known = true
    time = 5 * seconds + 1
    expect(await find('a')).toBeDefined()
  })

  it('leave out what is for something else or is broken, and keep the others (RFC 7517 §5)', async () => {
    const good = await jwkOf('good')
    published = {
      keys: [
        { ...good, kid: 'encryption', use: 'enc' },
        { ...good, kid: 'other-algorithm', alg: 'ES384' },
        { ...good, kid: 'no-algorithm', alg: undefined },
        { ...good, kid: 'algorithm-of-another-type', alg: 'RS256' },
        { ...good, kid: undefined },
        { ...good, kid: 'broken', x: 'AAAA' },
        { kty: 'oct', k: 'AAAA', alg: 'ES256', kid: 'symmetric' },
        good,
      ],
    }
    const find = keys()
    expect(await find('good')).toBeDefined()
    for (const kid of [
      'encryption',
      'other-algorithm',
      'no-algorithm',
      'algorithm-of-another-type',
      'undefined',
      '',
      'broken',
      'symmetric',
    ]) {
      expect(await find(kid)).toBeUndefined()
    }
  })

  it.each([{}, { keys: null }, []])('fail where the document is no JWK Set: %j', async document => {
    published = document
    await expect(keys()('a')).rejects.toThrow()
  })
})
