import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { loadConfig } from './config.js'
import { eventSettings, kafkaSecurity } from './events.js'

const security = (env: NodeJS.ProcessEnv) =>
  kafkaSecurity(loadConfig({ service: 'sample', settings: eventSettings }, env))
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
  ])('%j is refused, and shows no secret', (env, sentence) => {
    expect(() => security(env)).toThrow(sentence)
    expect(() => security(env)).not.toThrow('secret')
  })
})
