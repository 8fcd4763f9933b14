import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describeWhere, describeWithKafka, eventually, exampleConsumers } from '@grantlog/testing'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Wire } from './bad-input/wire.js'
import { confidentialClient } from './clients.js'
import { Ada, type OwnSystem, startSystem } from './running-system.js'

describeWithKafka('the examples of consumers', () => {
  let running: OwnSystem
  let operator: string
  let folder: string
  let ada: Ada
  let before: string
  beforeAll(async () => {
    running = await startSystem('kafka')
    operator = await new Wire(running).operatorToken()
    folder = await mkdtemp(join(tmpdir(), 'grantlog-examples-'))
    ada = new Ada(running)
    before = await revokeGrant()
  })
  afterAll(async () => {
    await running?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  for (const { language, available, prepare } of exampleConsumers) {
    describeWhere(available, `in ${language}`, () => {
      it('hears what was revoked before it came, and what is revoked then', async () => {
        const { command, env } = await prepare()
        const source = language === 'curl' ? await httpFeed() : kafka()
        const [program = '', ...args] = [...command, ...source, '10']
        const child = spawn(program, args, { env: { ...process.env, ...login(), ...env } })
        const { lines, errors } = linesOf(child)
        const told = (target: object) => expect([...lines, ...errors.slice(0, 20)]).toContainEqual(target)
        try {
          await eventually(() => told({ state: 'ready' }))
          await eventually(() => told({ kind: 'grant', id: before, issuedBefore: null }))
          const grant = await revokeGrant()
          await eventually(() => told({ kind: 'grant', id: grant, issuedBefore: null }))
          const client = await suspendClient()
          await eventually(() =>
            told({ kind: 'client', id: client, issuedBefore: expect.any(Number) as unknown as number }),
          )
          const keys = lines.map(line => JSON.stringify(line))
          expect(new Set(keys).size).toBe(keys.length)
          child.kill('SIGTERM')
          const [code] = await once(child, 'exit')
          expect([0, 143]).toContain(code) // Java's own word for it
          expect(errors.filter(line => /traceback|exception/i.test(line))).toEqual([])
        } finally {
          child.kill('SIGKILL')
        }
      })
    })
  }

  function kafka(): string[] {
    const { brokers = [], topicPrefix = '' } = running.backbone.kafka ?? {}
    return [brokers.join(','), topicPrefix]
  }

  const login = () => ({
    KAFKA_USERNAME: 'admin',
    KAFKA_PASSWORD: running.backbone.kafka?.passwords?.admin ?? '',
  })

  async function httpFeed(): Promise<string[]> {
    const file = join(folder, 'token')
    await writeFile(file, operator, { mode: 0o600 })
    return [running.installation.url('token'), file]
  }

  async function revokeGrant(): Promise<string> {
    const client = await confidentialClient(running)
    const callback = await ada.answer(await client.authorizationUrl('invoices:read'), client.redirectUri)
    const { accessToken } = await client.redeem(callback)
    const { grant } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
    await eventually(() => ada.revokeOnGrantsPage(grant)) // the page shows it a moment later
    return grant
  }

  async function suspendClient(): Promise<string> {
    const { id } = running.demo.publicClient
    for (const what of ['suspend', 'reinstate']) {
      const answer = await fetch(`${running.installation.url('clients')}/clients/${id}/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'A consumer is tried' }),
      })
      expect([200, what]).toEqual([answer.status, what])
    }
    return id
  }
})

/** What it says, as it comes. */
function linesOf({ stdout, stderr }: ChildProcess): { lines: object[]; errors: string[] } {
  const lines: object[] = []
  const errors: string[] = []
  if (stdout) createInterface(stdout).on('line', line => lines.push(JSON.parse(line)))
  if (stderr) createInterface(stderr).on('line', line => errors.push(line))
  return { lines, errors }
}
