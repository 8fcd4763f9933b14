import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServiceName, serviceNames } from '@grantlog/launcher'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { compiled, mainOf, rightEnvironment, settingsOf } from './settings.js'

/** A service, or one of its commands, that has just begun. */
function begin(service: ServiceName, env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, [mainOf(service), ...args], {
    env: { ...compiled, ...env },
    timeout: 60_000, // one that was not told would run for ever
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return { child, said: Promise.all([ended, text(child.stdout), text(child.stderr)]) }
}

describe('a database that accepts and never answers', () => {
  let silent: Server
  const sockets: Socket[] = []
  const env = () => rightEnvironment(settingsOf('token'), (silent.address() as AddressInfo).port)
  beforeAll(async () => {
    silent = createServer(socket => {
      sockets.push(socket.on('error', () => undefined))
    })
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it.each([...serviceNames])(
    'is nothing that %s waits for which was told to stop while its program was loaded',
    async service => {
      const env = rightEnvironment(settingsOf(service), (silent.address() as AddressInfo).port)
      // in the moment that reflect-metadata is loaded; without anybody who heeds it, the signal ends the process by itself
      const whileLoading = `const define = Object.defineProperty
      let told = false // a second signal would end it at once
      Object.defineProperty = (target, key, property) => {
        if (target === Reflect && !told) {
          told = true
          process.kill(process.pid, 'SIGTERM')
        }
        return define(target, key, property)
      }`
      const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(whileLoading)}"`
      const [end, , stderr] = await begin(service, { ...env, PORT: '0', NODE_OPTIONS }).said
      expect([end, stderr]).toEqual([[0, null], ''])
    },
  )

  it.each(['SIGTERM', 'SIGINT'] as const)('holds up no service that is told to stop: %s', async signal => {
    const { child, said } = begin('token', env())
    await once(silent, 'connection')
    child.kill(signal)
    const [end, stdout, stderr] = await said
    expect([end, stderr]).toEqual([[0, null], ''])
    expect(stdout).toContain('stopped while it started')
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('nor a migration, which nobody takes for done: %s', async (signal, code) => {
    const { child, said } = begin('token', env(), 'migrate')
    await once(silent, 'connection')
    child.kill(signal)
    expect(await said).toEqual([[code, null], '', ''])
  })
})

describe('a real database', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase('stop_while_starting')
  })
  afterAll(() => database.drop())

  it('a service is told to stop at any moment of its start, and ends in order', async () => {
    const right = rightEnvironment(settingsOf('clients'), 0)
    const env = { ...right, DATABASE_URL: database.url, EVENT_SOURCES: `token=${database.url}` }
    const stopped = async (when: (child: ChildProcessWithoutNullStreams) => Promise<unknown>) => {
      const { child, said } = begin('clients', env)
      await when(child)
      child.kill('SIGTERM')
      const [[code, signal], stdout, stderr] = await said
      expect(stderr).toBe('')
      expect(stdout).not.toMatch(/"level":"(warn|error|fatal)"/)
      return code ?? signal
    }
    const begun = Date.now()
    const listening = (child: ChildProcessWithoutNullStreams) =>
      eventuallySays(child.stdout, '"msg":"listening"')
    expect(await stopped(listening)).toBe(0)
    const whole = Date.now() - begun

    for (let tenth = 0; tenth <= 10; tenth += 2) {
      const end = await stopped(() => sleep((whole * tenth) / 10))
      // before Node runs a line of ours, the signal ends it by itself
      expect(tenth < 5 ? [0, 'SIGTERM'] : [0]).toContain(end)
    }
  })
})

async function eventuallySays(stream: Readable, words: string): Promise<void> {
  let said = ''
  while (!said.includes(words)) said += String((await once(stream, 'data'))[0])
}
