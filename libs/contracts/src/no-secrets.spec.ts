import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { catalogue } from './catalogue.js'
import { defineEvent, type EventDefinition } from './event.js'

/** Words that no field of an event may have in its name: what they stand for is a secret, or says who a person is. */
const forbiddenWords = new Set(
  `password passphrase secret credential credentials token code verifier hash key private seed pin otp cookie session assertion
  name names first last surname nickname email mail phone mobile address street city postcode birth birthday birthdate gender
  nationality passport iban card ip agent device location latitude longitude picture photo avatar locale`.split(
    /\s+/,
  ),
)

/** Values that no example may have: the shapes of secrets and of personal data. */
const forbiddenValues = {
  'an e-mail address': /[^\s@/]+@[^\s@]+\.[a-z]+/i,
  'a telephone number': /(^|\s)\+?\(?\d{2,4}\)?[\s/-]\d{3,}/,
  'an IP address': /\b\d{1,3}(\.\d{1,3}){3}\b/,
  'a JWT or JWE': /\bey[A-Za-z0-9_-]{8,}\./,
  'a private key': /-----BEGIN/,
  'a 256-bit secret': /^[A-Za-z0-9_-]{43}$/,
  'an opaque access token': /gla_[A-Za-z0-9_-]{43}/,
  'a refresh token': /[0-9a-f-]{36}\.[A-Za-z0-9_-]{20,}/,
  'a password': /pass(word|phrase)|hunter2|letmein/i,
} as const

/** Fields that only sound like it, and why they may be published. */
const allowedNames: Readonly<Record<string, string>> = {
  'client.*/name': 'what an application is called, as its company registered it',
  'api.*/name': 'what an API is called',
  'api.*/scopes[].name': 'a scope value',
  'client.*/credentials': 'the list of what verifies a secret; what is in it is judged by itself',
  'client.*/credentials[].credentialId': 'an opaque id',
  'client.*/credentials[].verifier': 'HMAC of 256 random bits: it cannot be reversed or guessed',
  'client.*/tokenEndpointAuthMethod': 'the name of a method (RFC 7591 §2)',
  'api.*/authorizationDetailsTypes[].fields[].name': 'what a member of a type is called',
  'api.*/accessTokenSeconds': 'a duration',
  'client.*/keys[].keyId': 'the `kid` of a public key',
  'client.*/jwtBearer[].keys[].keyId': 'the same',
  'api.*/accessTokenAlgorithm': 'the name of an algorithm',
  'api.*/accessTokenFormat': 'the name of a format',
  'grant.*/codeId': 'an opaque id: the sealed code itself never leaves the browser’s redirect',
  'grant.*/deviceId': 'an opaque id: what the person types, and what the device holds, are in no event',
  'grant.*/accessTokenSeconds': 'a duration too',
  'token.*/tokenId': 'the `jti`: it opens nothing',
  'token.*/exchange.subjectTokenId': 'a `jti` too',
  'token.*/exchange.actorTokenId': 'and another one',
  'client.*/tokenExchange': 'a policy (RFC 8693)',
  'token.*/keyId': 'the `kid`, a public thumbprint',
  'key.*/keyId': 'the `kid`, a public thumbprint',
}

const allowedValues: Readonly<Record<string, string>> = {
  'client.*/credentials[].verifier': 'the hash of a secret, not a secret',
  'client.*/keys[].jwk.x': 'half of a public key',
  'client.*/keys[].jwk.y': 'half of a public key',
  'grant.*/detailsDigest': 'the hash of what has a random salt, which no event tells',
  'code.*/detailsDigest': 'the same hash',
  'token.*/boundTo.thumbprint': 'the hash of a public key',
  'key.*/jwk.x': 'half of a public key',
  'key.*/jwk.y': 'half of a public key',
}

describe('no event tells a secret or who a person is', () => {
  it.each(catalogue.map(entry => [entry.type, entry] as const))('%s', (_, entry) => {
    expect(findings(entry).filter(({ allowed }) => allowed === undefined)).toEqual([])
  })

  it('has no exception that nothing needs', () => {
    const used = new Set(catalogue.flatMap(entry => findings(entry)).map(({ allowed }) => allowed))
    const exceptions = [...Object.values(allowedNames), ...Object.values(allowedValues)]
    expect(exceptions.filter(reason => !used.has(reason))).toEqual([])
  })

  it.each([
    ['a field', { email: z.string() }, { email: 'x' }, 'email'],
    [
      'a word inside a field’s name',
      { clientSecretHash: z.string() },
      { clientSecretHash: 'x' },
      'clientSecretHash',
    ],
    ['an underlined word', { phone_number: z.string() }, { phone_number: 'x' }, 'phone_number'],
    [
      'an inner field',
      { owner: z.strictObject({ name: z.string() }) },
      { owner: { name: 'x' } },
      'owner.name',
    ],
    [
      'a field in a list',
      { members: z.array(z.strictObject({ mail: z.string() })) },
      { members: [] },
      'members[].mail',
    ],
    [
      'a nullable field',
      { who: z.strictObject({ surname: z.string() }).nullable() },
      { who: null },
      'who.surname',
    ],
    ['an optional field', { password: z.string().optional() }, {}, 'password'],
    [
      'a branch of a union',
      { who: z.union([z.string(), z.strictObject({ ip: z.string() })]) },
      { who: 'x' },
      'who.ip',
    ],
    [
      'a private JWK',
      { jwk: z.strictObject({ privateExponent: z.string() }) },
      { jwk: { privateExponent: 'x' } },
      'jwk.privateExponent',
    ],
    ['an e-mail address', { reason: z.string() }, { reason: 'asked by ada@example.org' }, 'reason'],
    ['a telephone number', { reason: z.string() }, { reason: 'call +44 2079460000' }, 'reason'],
    ['an IP address', { reason: z.string() }, { reason: 'from 192.0.2.7' }, 'reason'],
    ['a JWT', { reason: z.string() }, { reason: 'eyJhbGciOiJFUzI1NiJ9.e30.x' }, 'reason'],
    [
      'a secret',
      { list: z.array(z.string()) },
      { list: ['MV0lhJQHrGXzoyhYIxZ4cHJSf0TTyERAAq5Ck0nPYoI'] },
      'list[]',
    ],
    ['a password', { reason: z.string() }, { reason: 'hunter2' }, 'reason'],
  ])('finds %s that was planted', (_, shape, example, path) => {
    expect(findings(planted(shape, example))).toContainEqual(
      expect.objectContaining({ path, allowed: undefined }),
    )
  })

  it('allows an exception in its own event only', () => {
    const elsewhere = planted({ name: z.string() }, { name: 'x' })
    expect(findings(elsewhere)).toEqual([{ path: 'name', found: 'name', allowed: undefined }])
  })

  it('refuses a schema that it cannot look into', () => {
    expect(() => findings(planted({ any: z.unknown() }, { any: 1 }))).toThrow('any has no fields to look at')
    expect(() => findings(planted({ any: z.record(z.string(), z.string()) }, { any: {} }))).toThrow(
      'any has no fields to look at',
    )
  })
})

interface Finding {
  readonly path: string
  readonly found: string
  /** Why it may stay, or undefined. */
  readonly allowed: string | undefined
}

function findings(entry: EventDefinition): Finding[] {
  const key = (path: string) => `${entry.type.split('.')[0]}.*/${path}`
  const names = fieldPaths(z.toJSONSchema(entry.data), '').flatMap(path => {
    const last = path.split('.').at(-1) ?? ''
    const word = wordsOf(last).find(candidate => forbiddenWords.has(candidate))
    return word === undefined ? [] : [{ path, found: word, allowed: allowedNames[key(path)] }]
  })
  const values = texts(entry.example, '').flatMap(([path, text]) =>
    Object.entries(forbiddenValues)
      .filter(([, pattern]) => pattern.test(text))
      .map(([found]) => ({ path, found, allowed: allowedValues[key(path)] })),
  )
  return [...names, ...values]
}

/** `clientSecret_hash[]` → client, secret, hash */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

type Schema = z.core.JSONSchema.BaseSchema | boolean

function fieldPaths(schema: Schema, path: string): string[] {
  const place = path === '' ? '' : `${path}.`
  const open = typeof schema === 'boolean' || Object.keys(schema).length === 0
  if (open || typeof schema.additionalProperties === 'object')
    throw new Error(`${path} has no fields to look at`)
  const { properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema
  return [
    ...Object.entries(properties).flatMap(([name, member]) => [
      place + name,
      ...fieldPaths(member, place + name),
    ]),
    ...(items === undefined || Array.isArray(items) ? [] : fieldPaths(items, `${path}[]`)),
    ...[...anyOf, ...oneOf, ...allOf].flatMap(branch => fieldPaths(branch, path)),
  ]
}

/** Every text in a value, by its path. */
function texts(value: unknown, path: string): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]]
  if (Array.isArray(value)) return value.flatMap(item => texts(item, `${path}[]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    texts(member, path === '' ? name : `${path}.${name}`),
  )
}

function planted(shape: z.ZodRawShape, example: Record<string, unknown>): EventDefinition {
  return defineEvent({
    type: 'thing.planted',
    topic: 'tokens',
    streams: ['thing-{id}'],
    summary: 'Something was planted.',
    data: z.strictObject(shape),
    example,
  })
}
