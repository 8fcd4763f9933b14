import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { audienceOf, type Demo, Installation, type ServiceName, System, temporary } from '@grantlog/launcher'
import { Connection } from '../token/connection.js'
import type { HttpResourceSettings } from './http-resource.js'

/** A whole system on Kafka, its sample API, and a resource server that hears of revocations over HTTP. */
export interface Ground {
  readonly tokenPort: number
  /** Processor time of the token service is theirs. */
  readonly tokenPids: readonly number[]
  readonly resources: { readonly kafka: Resource; readonly http: Resource }
  /** As the token service knows the client that all tokens are for. */
  readonly basic: string
  /** So many new access tokens of the client’s own, for both resource servers. */
  accessTokens(count: number): Promise<string[]>
  stop(): Promise<void>
}

export interface Resource {
  readonly port: number
  readonly path: string
}

const noLimits = { ADDRESS_RATE: '0', CLIENT_RATE: '0', CLIENT_IN_FLIGHT: '0' }

export async function startGround(): Promise<Ground> {
  const options = temporary('kafka')
  const installation = await Installation.open(options)
  const system = new System(installation, options, { token: noLimits })
  const connections: Connection[] = []
  try {
    const { demo } = await system.start()
    const [issuer, audience] = [installation.url('token'), audienceOf(installation)]
    const port = (name: ServiceName) => installation.ports[name]
    const http = await startHttpResource({ issuer, audience, client: demo.operator })
    const client = await registerClient(installation, demo)
    for (let n = 0; n < 16; n++) connections.push(new Connection(port('token')))
    return {
      tokenPort: port('token'),
      tokenPids: system.service('token').pids,
      resources: {
        kafka: { port: port('resource'), path: new URL(audience).pathname },
        http: { port: http.port, path: '/' },
      },
      basic: client,
      async accessTokens(count) {
        const tokens: string[] = []
        const form = new URLSearchParams({ grant_type: 'client_credentials', resource: audience }).toString()
        await Promise.all(
          connections.map(async connection => {
            while (tokens.length < count) {
              const { status, body } = await connection.post('/token', client, form)
              if (status !== 200) throw new Error(`The token service answers ${status} ${body}`)
              tokens.push(JSON.parse(body).access_token)
            }
          }),
        )
        return tokens.slice(0, count)
      },
      async stop() {
        for (const connection of connections) connection.close()
        http.stop()
        await system.stop()
      },
    }
  } catch (error) {
    await system.stop()
    throw error
  }
}

async function startHttpResource(settings: HttpResourceSettings): Promise<{ port: number; stop(): void }> {
  const child = fork(join(import.meta.dirname, 'http-resource.js'), [JSON.stringify(settings)])
  const [port] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The resource server that is fed over HTTP ended while starting')
    }),
  ])
  return { port: Number(port), stop: () => child.kill() }
}

/** A client that asks in its own name. @returns how it authenticates, once the token service knows it */
async function registerClient(installation: Installation, { operator }: Demo): Promise<string> {
  const [clients, issuer] = [installation.url('clients'), installation.url('token')]
  const ask = async (basic: string, form: Record<string, string>) => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    })
    const body = (await response.json()) as { access_token?: string }
    return body.access_token
  }
  const token = await ask(basicOf(operator.id, operator.secret), { resource: 'urn:grantlog:platform' })
  const response = await fetch(`${clients}/clients`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Bench',
      client_uri: installation.url('sample-client'),
      grant_types: ['client_credentials'],
      scope: 'invoices:read',
    }),
  })
  if (!response.ok)
    throw new Error(`The client was not registered: ${response.status} ${await response.text()}`)
  const { client_id, client_secret } = (await response.json()) as { client_id: string; client_secret: string }
  const basic = basicOf(client_id, client_secret)
  const resource = audienceOf(installation)
  while ((await ask(basic, { resource })) === undefined) await new Promise(resolve => setTimeout(resolve, 50))
  return basic
}

const basicOf = (id: string, secret: string) => `Basic ${btoa(`${id}:${secret}`)}`
