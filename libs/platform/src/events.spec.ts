import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { loadConfig } from './config.js'
import { eventContradictions, eventSettings, kafkaSecurity } from './events.js'

const settings = { service: 'sample', settings: eventSettings, contradictions: eventContradictions }
const security = (env: NodeJS.ProcessEnv) =>
  kafkaSecurity(loadConfig(settings, { KAFKA_BROKERS: 'kafka:9092', ...env }))
const login = { KAFKA_USERNAME: 'token', KAFKA_PASSWORD: 'secret' }
const sasl = { mechanism: 'scram-sha-512', username: 'token', password: 'secret' }

describe('how Kafka is reached', () => {
  it.each([
    [{}, {}],
    [login, { sasl }],
    [{ ...login, KAFKA_SASL_MECHANISM: 'scram-sha-256' }, { sasl: { ...sasl, mechanism: 'scram-sha-256' } }],
    [{ KAFKA_TLS: 'on' }, { tls: true }],
    [
      { ...login, KAFKA_TLS: 'on', KAFKA_SASL_MECHANISM: 'plain' },
      { tls: true, sasl: { ...sasl, mechanism: 'plain' } },
    ],
    [
      { KAFKA_TLS: 'on', KAFKA_CA_CERTIFICATES: certificates.authority },
      { tls: { ca: [certificates.authority] } },
    ],
  ])('%j', (env, expected) => {
    expect(security(env)).toEqual(expected)
  })

  it.each([
    [{ KAFKA_USERNAME: 'token' }, 'KAFKA_PASSWORD is missing'],
    [{ KAFKA_PASSWORD: 'secret' }, 'KAFKA_USERNAME is missing'],
    [{ KAFKA_CA_CERTIFICATES: certificates.authority }, 'KAFKA_CA_CERTIFICATES is of no use without TLS'],
    [{ ...login, KAFKA_SASL_MECHANISM: 'plain' }, 'would show the password to the network'],
    [{ KAFKA_BROKERS: '' }, 'KAFKA_BROKERS is missing'],
    [{ EVENT_TRANSPORT: 'embedded' }, 'EVENT_SOURCES is missing'],
    [{ EVENT_SOURCES: 'token=postgres://u:secret@a/b,token=postgres://a/b' }, 'it names a source twice'],
    [{ EVENT_SOURCES: 'token=postgres://u:secret@[/b' }, 'it must list sources as name=postgres://…'],
    [{ EVENT_SOURCES: 'resource=postgres://u:secret@a/b' }, 'it must list sources as name=postgres://…'],
  ])('%j is refused in one line with an example, and shows no secret', (env, sentence) => {
    expect(() => security(env)).toThrow(sentence)
    expect(() => security(env)).toThrow(/^.*, for example .*$/)
    expect(() => security(env)).not.toThrow('secret')
  })
})
