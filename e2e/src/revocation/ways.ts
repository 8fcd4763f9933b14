import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { EventData } from '@grantlog/contracts'
import { formOf } from '@grantlog/demonstration'
import { environmentOf, grantsUrlOf } from '@grantlog/launcher'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { Tokens, Wire } from '../bad-input/wire.js'
import type { MachineTokens } from './machine-tokens.js'

/** The setting `REFRESH_RETRY_SECONDS` that this is made for. */
export const retrySeconds = 1

type Revocation = EventData<'token.revoked'>

/** What a way to revoke is tried on: a person with an account of her own, and a client that acts for itself. */
export interface Scene {
  readonly wire: Wire
  readonly machine: MachineTokens
  readonly person: { readonly id: string; readonly password: string }
  readonly companyId: string
}

/** One way to revoke: who does what, and what is in the event. */
export interface Way {
  readonly target: Revocation['target']['kind']
  readonly reason: Revocation['reason']
  /** Who does what, for the table in the docs. */
  readonly how: string
  /** @returns tokens that are good, and what revokes them: the target, once it is acknowledged */
  readonly begin: (scene: Scene) => Promise<{ victims: string[]; revoke: () => Promise<string> }>
}

export const ways: readonly Way[] = [
  {
    target: 'token',
    reason: 'client-revoked',
    how: 'its client revokes an access token (RFC 7009)',
    async begin({ machine }) {
      const victim = await machine.issue()
      return {
        victims: [victim],
        async revoke() {
          await machine.revoke(victim)
          return idIn(victim, 'jti')
        },
      }
    },
  },
  {
    target: 'token',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --token`',
    async begin(scene) {
      const victim = await scene.machine.issue()
      return { victims: [victim], revoke: () => grantlogRevoke(scene, 'token', idIn(victim, 'jti')) }
    },
  },
  {
    target: 'family',
    reason: 'client-revoked',
    how: 'its client revokes a refresh token (RFC 7009)',
    begin: ({ wire }) =>
      family(wire, async ({ refresh_token: token }) => {
        await ok(wire.post('/revoke', { token }, wire.basic(wire.confidential)))
      }),
  },
  {
    target: 'family',
    reason: 'code-replayed',
    how: 'a code comes a second time',
    async begin({ wire }) {
      const code = await wire.authorize(wire.confidential)
      const { access_token: victim } = await wire.redeem(wire.confidential, code)
      return {
        victims: [victim],
        async revoke() {
          const form = wire.redemption(wire.confidential, code)
          await refused(wire.post('/token', form, wire.basic(wire.confidential)))
          return idIn(victim, 'family')
        },
      }
    },
  },
  {
    target: 'family',
    reason: 'refresh-replayed',
    how: 'a refresh token comes again, too late for a lost answer',
    begin: ({ wire }) =>
      family(wire, async ({ refresh_token }) => {
        await refresh(wire, refresh_token)
        await delay((retrySeconds + 1) * 1000)
        const form = { grant_type: 'refresh_token', refresh_token }
        await refused(wire.post('/token', form, wire.basic(wire.confidential)))
      }),
  },
  {
    target: 'family',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --family`',
    async begin(scene) {
      const { access_token: victim } = await scene.wire.tokens(scene.wire.confidential)
      return { victims: [victim], revoke: () => grantlogRevoke(scene, 'family', idIn(victim, 'family')) }
    },
  },
  {
    target: 'grant',
    reason: 'owner-revoked',
    how: 'its owner, on “your grants”',
    begin: ({ wire }) => grant(wire, id => wire.ada.revokeOnGrantsPage(id)),
  },
  {
    target: 'grant',
    reason: 'member-removed',
    how: 'an operator removes the member who approved it for an organization',
    async begin(scene) {
      const { wire, person, companyId } = scene
      const members = `/organizations/${companyId}/members`
      await operated(wire, 'POST', members, { account_id: person.id, role: 'administrator' })
      return grant(
        wire,
        () => operated(wire, 'DELETE', `${members}/${person.id}`),
        `organization:${companyId}`,
      )
    },
  },
  {
    target: 'grant',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --grant`',
    begin: scene => grant(scene.wire, id => grantlogRevoke(scene, 'grant', id)),
  },
  {
    target: 'client',
    reason: 'client-suspended',
    how: 'an operator suspends the client',
    async begin({ wire, machine }) {
      const victim = await machine.issue()
      const { id } = machine.client
      return {
        victims: [victim],
        async revoke() {
          await operated(wire, 'POST', `/clients/${id}/suspend`, { reason: 'It was lost' }, 'clients')
          return id
        },
      }
    },
  },
  {
    target: 'client',
    reason: 'client-deleted',
    how: 'an operator deletes the client',
    async begin({ wire, machine }) {
      const victim = await machine.issue()
      const { id } = machine.client
      return {
        victims: [victim],
        async revoke() {
          await operated(wire, 'DELETE', `/clients/${id}?reason=It+was+lost`, undefined, 'clients')
          return id
        },
      }
    },
  },
  {
    target: 'client',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --client`',
    async begin(scene) {
      const victim = await scene.machine.issue()
      return { victims: [victim], revoke: () => grantlogRevoke(scene, 'client', scene.machine.client.id) }
    },
  },
  {
    target: 'owner',
    reason: 'owner-revoked',
    how: 'the person: “revoke everything” on “your grants”',
    begin: scene =>
      owner(scene, async ({ ada, running }) => {
        const page = await ada.visitor.open(grantsUrlOf(running.installation))
        await ada.visitor.submit(page, formOf(page, /revoke-all/), {})
      }),
  },
  {
    target: 'owner',
    reason: 'password-changed',
    how: 'the person changes her password',
    begin: scene =>
      owner(scene, async ({ ada, running }) => {
        const page = await ada.visitor.open(`${running.installation.url('consent')}/sign-in/password`)
        const entries = { current: scene.person.password, next: `${scene.person.password}, another` }
        await ada.visitor.submit(page, formOf(page, /password/), entries)
      }),
  },
  {
    target: 'owner',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --owner`',
    begin: scene => owner(scene, () => grantlogRevoke(scene, 'owner', scene.person.id)),
  },
  {
    target: 'owner',
    reason: 'account-suspended',
    how: 'an operator suspends the account',
    begin: scene =>
      owner(scene, wire =>
        operated(wire, 'POST', `/accounts/${scene.person.id}/suspend`, { reason: 'She left' }),
      ),
  },
  {
    target: 'organization',
    reason: 'operator',
    how: 'an operator: `grantlog revoke --organization`',
    async begin(scene) {
      const { wire, person } = scene
      const { organization_id: id = '' } = await operated(wire, 'POST', '/organizations', {
        name: 'Mill & Co',
      })
      const member = { account_id: person.id, role: 'administrator' }
      await operated(wire, 'POST', `/organizations/${id}/members`, member)
      const { access_token: one } = await wire.tokens(wire.confidential, undefined, `organization:${id}`)
      const { access_token: other } = await wire.tokens(wire.publicClient, undefined, `organization:${id}`)
      return { victims: [one, other], revoke: () => grantlogRevoke(scene, 'organization', id) }
    },
  },
  {
    target: 'key',
    reason: 'key-compromised',
    how: 'an operator: `grantlog keys compromise`, or `grantlog revoke --key`',
    async begin(scene) {
      const victims = [
        await scene.machine.issue(),
        (await scene.wire.tokens(scene.wire.confidential)).access_token,
      ]
      const { kid = '' } = decodeProtectedHeader(victims[0] ?? '')
      return { victims, revoke: () => grantlogRevoke(scene, 'key', kid) }
    },
  },
]

/** Tokens of one code: the access token that came with it, and the next one. */
async function family(wire: Wire, revoke: (latest: Tokens) => Promise<unknown>) {
  const first = await wire.tokens(wire.confidential)
  const second = await refresh(wire, first.refresh_token)
  return {
    victims: [first.access_token, second.access_token],
    async revoke() {
      await revoke(second)
      return idIn(second.access_token, 'family')
    },
  }
}

/** Tokens of two codes, of one grant. */
async function grant(wire: Wire, revoke: (grantId: string) => Promise<unknown>, company?: string) {
  const { access_token: one } = await wire.tokens(wire.confidential, undefined, company)
  const { access_token: other } = await wire.tokens(wire.confidential, undefined, company)
  return {
    victims: [one, other],
    async revoke() {
      await revoke(idIn(one, 'grant'))
      return idIn(one, 'grant')
    },
  }
}

/** Tokens of two grants of one person. */
async function owner({ wire, person }: Scene, revoke: (wire: Wire) => Promise<unknown>) {
  const { access_token: one } = await wire.tokens(wire.confidential)
  const { access_token: other } = await wire.tokens(wire.publicClient)
  return {
    victims: [one, other],
    async revoke() {
      await revoke(wire)
      return person.id
    },
  }
}

async function refresh(wire: Wire, refreshToken: string): Promise<Tokens> {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
  return wire.granted(await wire.post('/token', form, wire.basic(wire.confidential)))
}

/** An operator's call. @throws Error with the answer where it is refused */
export async function operated(
  wire: Wire,
  method: string,
  path: string,
  body?: object,
  service: 'clients' | 'consent' = 'consent',
): Promise<Record<string, string>> {
  const answer = await ok(
    fetch(`${wire.running.installation.url(service)}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await wire.operatorToken()}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }),
  )
  return answer.status === 204 ? {} : ((await answer.json()) as Record<string, string>)
}

/** The operator's program; @returns the id */
async function grantlogRevoke({ wire }: Scene, kind: Way['target'], id: string): Promise<string> {
  const { installation, demo, backbone } = wire.running
  const program = join(import.meta.dirname, '../../../apps/cli/dist/main.js')
  const urls = (['token', 'clients', 'consent'] as const).map(name => installation.url(name))
  const [issuer = '', clients = '', consent = ''] = urls
  const site = [
    '--issuer',
    issuer,
    '--clients',
    clients,
    '--consent',
    consent,
    '--operator',
    demo.operator.id,
  ]
  const args = [
    'revoke',
    `--${kind}`,
    id,
    '--reason',
    'It was seen elsewhere',
    ...(kind === 'key' ? [] : site),
  ]
  await promisify(execFile)(process.execPath, [program, ...args], {
    cwd: tmpdir(),
    env: {
      ...environmentOf('token', installation, backbone),
      OPERATOR_SECRET: demo.operator.secret,
    },
  })
  return id
}

async function ok(asked: Promise<Response>): Promise<Response> {
  const answer = await asked
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer
}

async function refused(asked: Promise<Response>): Promise<void> {
  const answer = await asked
  if (answer.status !== 400) throw new Error(`${answer.status} ${await answer.text()}`)
}

const idIn = (token: string, claim: string) => String(decodeJwt(token)[claim])
