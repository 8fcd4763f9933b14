import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates } from '@grantlog/testing'
import { afterAll, describe, expect, it } from '@jest/globals'
import { ConfigurationError, defineConfig, describeConfig, loadConfig } from './config.js'
import { type Setting, setting } from './setting.js'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const definition = defineConfig('sample', {
  NAME: setting.text({ describe: 'How it is called.', example: 'Ada' }),
  HOME_URL: setting.url({ describe: 'Where it is.', example: 'https://example.com' }),
  SIZE: setting.integer({ min: 1, max: 9, describe: 'How large.', example: '3', default: '5' }),
  COLOUR: setting.oneOf(['red', 'blue'], { describe: 'Which colour.', example: 'red', default: 'blue' }),
  HOSTS: setting.networks({ describe: 'Which hosts.', example: '10.0.0.0/8', default: '' }),
  PASSPHRASE: setting.secret({
    describe: 'Opens it.',
    example: 'open sesame',
    pattern: /^open/,
    wrong: 'must begin with open',
  }),
  SEAL_KEY: setting.key({ describe: 'Seals it.' }),
  NICKNAME: setting.optional(setting.text({ describe: 'What friends say.', example: 'A.' })),
})
const good = {
  PORT: '4000',
  NAME: 'Ada',
  HOME_URL: 'https://example.com',
  PASSPHRASE: 'open sesame',
  SEAL_KEY: 'A'.repeat(43),
}

/** What is wrong, a line per variable. @throws when nothing is */
function problems(change: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(definition, { ...good, ...change })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  throw new Error('It was loaded')
}

describe('the settings of a service', () => {
  it('are read from the environment, with what is true where it says nothing', () => {
    expect(
      loadConfig(definition, { ...good, HOSTS: ' ::1, 10.0.0.0/8 ,,192.0.2.1 ', NOT_OURS: 'x' }),
    ).toEqual({
      HOST: '127.0.0.1',
      PORT: 4000,
      LOG_LEVEL: 'info',
      SHUTDOWN_GRACE_SECONDS: 10,
      SHUTDOWN_DELAY_SECONDS: 0,
      TRUSTED_PROXIES: [],
      NAME: 'Ada',
      HOME_URL: 'https://example.com',
      SIZE: 5,
      COLOUR: 'blue',
      HOSTS: ['::1', '10.0.0.0/8', '192.0.2.1'],
      PASSPHRASE: 'open sesame',
      SEAL_KEY: 'A'.repeat(43),
      NICKNAME: undefined,
    })
  })

  it.each([
    ['missing', 'NAME', undefined, 'NAME is missing: how it is called, for example NAME=Ada'],
    ['empty', 'NAME', '', 'NAME is missing: how it is called, for example NAME=Ada'],
    [
      'no URL',
      'HOME_URL',
      'example.com',
      'HOME_URL must be an absolute https URL, not “example.com”, for example HOME_URL=https://example.com',
    ],
    [
      'a URL of another kind',
      'HOME_URL',
      'ftp://example.com',
      'HOME_URL must be an absolute https URL, not “ftp://example.com”, for example HOME_URL=https://example.com',
    ],
    ...['0', '10', '1.5', '1e0', ' 3', 'three', '-1'].map((value): [string, string, string, string] => [
      'no number in the range',
      'SIZE',
      value,
      `SIZE must be a whole number from 1 to 9, not “${value}”, for example SIZE=3`,
    ]),
    ['unknown', 'COLOUR', 'Red', 'COLOUR must be one of red, blue, not “Red”, for example COLOUR=red'],
  ])('%s: %s=%s', (_, name, value, sentence) => {
    expect(problems({ [name]: value })).toEqual([sentence])
  })

  const facts = { describe: 'Something.', example: '…' }
  it.each([
    ...[
      'http://auth.example.com',
      'http://127.0.0.2',
      'https://',
      'https:/a.example',
      'https://a.example/#b',
    ].map((value): [string, Setting<unknown>, string] => ['url', setting.url(facts), value]),
    ['baseUrl', setting.baseUrl(facts), 'https://a.example?b'],
    ['origin', setting.origin(facts), 'https://a.example/b'],
    ['origin', setting.origin(facts), 'https://a.example/?'],
    ['host', setting.host(facts), 'http://127.0.0.1'],
    ['headerName', setting.headerName(facts), 'client cert'],
    ['topicPrefix', setting.topicPrefix(facts), 'a/b'],
    ...['10.0.0.0/33', '10.0.0.0/0', '0.0.0.0/0', '::/0', 'proxy.example.com', '10.0.0', '*'].map(
      (value): [string, Setting<unknown>, string] => ['networks', setting.networks(facts), value],
    ),
    ...['https://a.example/', 'a.example', 'null'].map((value): [string, Setting<unknown>, string] => [
      'origins',
      setting.origins(facts),
      `*,${value}`,
    ]),
    ...['kafka', 'kafka:', 'kafka:9092/', 'PLAIN://kafka:9092'].map(
      (value): [string, Setting<unknown>, string] => ['brokers', setting.brokers(facts), value],
    ),
    ['databaseUrl', setting.databaseUrl(facts), 'mysql://db/token'],
    ['databaseUrl', setting.databaseUrl(facts), 'postgres://user@:5432/token'],
  ])('%s: not %#', (_, one, value) => {
    expect(() => loadConfig({ service: 'sample', settings: { ONE: one } }, { ONE: value })).toThrow(
      /^ONE must .*$/,
    )
  })

  it.each([
    [setting.url(facts), 'http://localhost:4000/a?b=c'],
    [setting.url(facts), 'http://[::1]:4000'],
    [setting.baseUrl(facts), 'https://a.example/tenant'],
    [setting.origin(facts), 'https://a.example:8443/'],
    [setting.networks(facts), 'fd00::/8,loopback'],
    [setting.brokers(facts), 'kafka-1:9092, [::1]:9093'],
    [setting.origins(facts), 'https://a.example,http://localhost:3000'],
    [setting.databaseUrl(facts), 'postgresql://u:p@[::1]:5432/token?sslmode=require'],
  ])('and are right: %#', (one, value) => {
    expect(loadConfig({ service: 'sample', settings: { ONE: one } }, { ONE: value }).ONE).toBeDefined()
  })

  it('that contradict are told when each is right by itself', () => {
    const pair = {
      service: 'sample',
      settings: { SIZE: definition.settings.SIZE, NICKNAME: definition.settings.NICKNAME },
      contradictions: [
        ({ SIZE, NICKNAME }: Readonly<Record<string, unknown>>) =>
          SIZE === 9 && NICKNAME === undefined ? 'NICKNAME is missing: what is large has one' : undefined,
      ],
    }
    expect(loadConfig(pair, { SIZE: '9', NICKNAME: 'A.' }).SIZE).toBe(9)
    expect(() => loadConfig(pair, { SIZE: '9' })).toThrow('NICKNAME is missing: what is large has one')
    expect(() => loadConfig(pair, { SIZE: 'x' })).toThrow(/^SIZE .*$/)
  })

  it('are told in one line each, without the password of a URL', () => {
    expect(problems({ HOME_URL: 'https://ada:hunter2@example.com' })).toEqual([
      'HOME_URL must not have a user name or password, not “https://…@example.com”, for example HOME_URL=https://example.com',
    ])
    expect(problems({ COLOUR: 'a\nb' })[0]).toContain('not “a�b”')
    expect(problems({ COLOUR: 'x'.repeat(1000) })[0]?.length).toBeLessThan(300)
  })

  it('are all checked before it says what is wrong', () => {
    const told = problems({ NAME: '', SIZE: 'x', PORT: '-1' })
    expect(told.map(line => line.split(' ')[0]).toSorted()).toEqual(['NAME', 'PORT', 'SIZE'])
  })

  it.each([
    ['PASSPHRASE', 'hunter2-hunter2', 'PASSPHRASE must begin with open, for example PASSPHRASE=open sesame'],
    ['SEAL_KEY', 'c2hvcnQ-c2hvcnQ', 'SEAL_KEY must be 32 bytes in base64url without padding (43 characters)'],
    // the last of 43 characters carries only four bits
    ['SEAL_KEY', 'B'.repeat(43), 'SEAL_KEY must be 32 bytes in base64url'],
  ])('never show the value of a secret: %s', (name, value, sentence) => {
    const [told = '', ...more] = problems({ [name]: value })
    expect(told).toContain(sentence)
    expect(told).not.toContain(value)
    expect(more).toEqual([])
  })

  it('are certificates, as many as there are, by themselves or in a file', () => {
    const AUTHORITIES = setting.certificates({ describe: 'Whom to believe.', example: '…' })
    const read = (env: NodeJS.ProcessEnv) =>
      loadConfig({ service: 'sample', settings: { AUTHORITIES } }, env).AUTHORITIES.map(
        ({ subject }) => subject,
      )
    const path = join(folder, 'authorities.pem')
    const both = `The first:\n${certificates.authority}and its twin:\n${certificates.client}`
    writeFileSync(path, both)
    const subjects = ['C=SE\nO=Example\nCN=Example Clients CA', 'C=SE\nO=Example\\, Inc.\nCN=Ledgerly Söhne']
    expect(read({ AUTHORITIES: both })).toEqual(subjects)
    expect(read({ AUTHORITIES_FILE: path })).toEqual(subjects)
    for (const wrong of ['nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])
      expect(() => read({ AUTHORITIES: wrong })).toThrow('must be certificates in PEM')
  })

  describe('a secret in a file', () => {
    const path = join(folder, 'passphrase')

    it('is read from there, without the line’s end', () => {
      writeFileSync(path, 'open from a file\n')
      const { PASSPHRASE } = loadConfig(definition, { ...good, PASSPHRASE: '', PASSPHRASE_FILE: path })
      expect(PASSPHRASE).toBe('open from a file')
    })

    it('is checked as any other, and not shown', () => {
      writeFileSync(path, 'hunter2-hunter2')
      const [told] = problems({ PASSPHRASE: undefined, PASSPHRASE_FILE: path })
      expect(told).toBe('PASSPHRASE must begin with open, for example PASSPHRASE=open sesame')
    })

    it('is not taken where there is one in the environment, too', () => {
      expect(problems({ PASSPHRASE_FILE: path })).toEqual([
        'PASSPHRASE is set twice: by itself and by PASSPHRASE_FILE, for example PASSPHRASE=open sesame',
      ])
    })

    it('that can not be read is named', () => {
      const [told] = problems({ PASSPHRASE: undefined, PASSPHRASE_FILE: join(folder, 'nothing') })
      expect(told).toMatch(
        /^PASSPHRASE can not be read from the file of PASSPHRASE_FILE, .*nothing \(ENOENT\)/,
      )
    })

    it('that is empty is as wrong as an empty secret', () => {
      writeFileSync(path, '\n')
      expect(problems({ PASSPHRASE: undefined, PASSPHRASE_FILE: path })).toHaveLength(1)
    })

    it('is only for secrets', () => {
      writeFileSync(path, 'Ada')
      expect(problems({ NAME: undefined, NAME_FILE: path })[0]).toMatch(/^NAME is missing/)
    })
  })

  it('tell themselves for the reference', () => {
    const rows = describeConfig(definition)
    expect(rows.map(row => row.name)).toEqual(Object.keys(definition.settings))
    expect(rows.find(row => row.name === 'SIZE')).toEqual({
      service: 'sample',
      name: 'SIZE',
      type: 'integer 1–9',
      file: false,
      describe: 'How large.',
      example: '3',
      secret: false,
      default: '5',
      optional: false,
    })
    expect(rows.filter(row => row.secret).map(row => row.name)).toEqual(['PASSPHRASE', 'SEAL_KEY'])
    expect(rows.filter(row => row.optional).map(row => row.name)).toEqual(['NICKNAME'])
  })
})
