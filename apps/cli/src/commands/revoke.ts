import { type Command, readOptions } from '../command.js'
import { findInstallation } from '../installation.js'
import { readSecret, settingOf } from '../secret.js'
import { runServiceCommand } from '../service-command.js'
import { UsageError } from '../usage-error.js'

const kinds = ['owner', 'organization', 'grant', 'client', 'family', 'token', 'key'] as const
type Kind = (typeof kinds)[number]
type Options = ReturnType<typeof read>

export const revoke: Command = {
  usage:
    'revoke --owner|--organization|--grant|--client|--family|--token|--key ID --reason TEXT [--operator-secret FILE] [--issuer URL] [--json]',
  summary: 'revoke all that names one target, in one event; over HTTP, at the service that owns it',
  options: {
    '--owner ID': 'all that a person granted, and that was issued to her: the id of her account',
    '--organization ID': 'all that was granted for an organization',
    '--grant ID': 'one grant, for good',
    '--client ID': 'all that was issued to a client, which may go on: to stop it, suspend it',
    '--family ID': 'all tokens that came of one code, for good',
    '--token ID': 'one access token, by its jti, for good',
    '--key KID':
      'all that a signing key signed, as keys compromise does: with the token service’s environment',
    '--reason TEXT': 'why, for the log: one line of 1 to 200 characters; name no person',
    '--operator-secret FILE':
      'holds the secret of the operator’s client; otherwise the setting OPERATOR_SECRET, or OPERATOR_SECRET_FILE',
    '--operator ID': 'the operator’s client, where it is not operator',
    '--issuer URL': 'the platform, as its tokens name it; that of the npm start here, without it',
    '--clients URL': 'the clients service, where it is not at the issuer’s host',
    '--consent URL': 'the consent service, where it is not at the issuer’s host',
    '--audience URI': 'the platform’s own audience, where it is not urn:grantlog:platform',
    '--json': 'one JSON object: target, issued_before, event',
  },

  async run(args) {
    const options = read(args)
    const [target, ...more] = kinds.flatMap(kind => (options[kind] ? [{ kind, id: options[kind] }] : []))
    if (target === undefined || more.length > 0)
      throw new UsageError(`Name one target: one of ${kinds.map(kind => `--${kind}`).join(', ')}.`)
    const reason = options.reason?.trim()
    if (!reason) throw new UsageError('--reason is missing: say why, for the log.')
    if (target.kind === 'key')
      return runServiceCommand('token', ['keys', 'compromise', target.id, '--reason', reason])
    const site = siteOf(options)
    const token = await tokenOf(site, options)
    const { url, body } = requestOf(site, target.kind, target.id)
    const answer = await send(url, { ...body, reason }, token)
    process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${sentenceOf(target, answer)}\n`)
  },
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const
  return readOptions(args, {
    owner: text,
    organization: text,
    grant: text,
    client: text,
    family: text,
    token: text,
    key: text,
    reason: text,
    'operator-secret': text,
    operator: { ...text, default: 'operator' },
    issuer: text,
    clients: text,
    consent: text,
    audience: { ...text, default: 'urn:grantlog:platform' },
    json: { type: 'boolean', default: false },
  })
}

interface Site {
  readonly issuer: string
  readonly clients: string
  readonly consent: string
}

/** Each service at the issuer's host, unless it is said otherwise; or those of the installation here. */
function siteOf(options: Options): Site {
  const here = options.issuer === undefined ? findInstallation()?.urls : undefined
  const issuer = options.issuer ?? here?.token
  if (issuer === undefined)
    throw new UsageError(
      'Say where the platform is, with --issuer URL; no npm start has run in this folder or above it.',
    )
  const clients = options.clients ?? here?.clients ?? issuer
  const consent = options.consent ?? here?.consent ?? issuer
  for (const url of [issuer, clients, consent]) {
    if (!/^https?:\/\/[^?#]+$/.test(url) || !URL.canParse(url))
      throw new UsageError(`“${url}” is no URL of a service.`)
  }
  return { issuer, clients, consent }
}

async function tokenOf({ issuer }: Site, options: Options): Promise<string> {
  const secret = options['operator-secret']
    ? readSecret(options['operator-secret'])
    : settingOf('OPERATOR_SECRET')
  if (secret === undefined)
    throw new UsageError('Say where the operator’s secret is, with --operator-secret FILE.')
  const credentials = [options.operator, secret].map(encodeURIComponent).join(':') // RFC 6749 §2.3.1
  const answer = await answerOf(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: options.audience,
      scope: 'revocations:write',
    }),
  })
  return String(answer.access_token)
}

function requestOf({ issuer, clients, consent }: Site, kind: Exclude<Kind, 'key'>, id: string) {
  const name = encodeURIComponent(id)
  switch (kind) {
    case 'owner':
      return { url: `${consent}/accounts/${name}/revocations`, body: {} }
    case 'organization':
    case 'grant':
      return { url: `${consent}/${kind}s/${name}/revocations`, body: {} }
    case 'client':
      return { url: `${clients}/clients/${name}/revocations`, body: {} }
    case 'family':
    case 'token':
      return { url: `${issuer}/revocations`, body: { target: { kind, id } } }
  }
}

const send = (url: string, body: object, token: string) =>
  answerOf(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** @throws Error with what the service says */
async function answerOf(url: string, request: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, { ...request, redirect: 'error' }).catch((error: unknown) => {
    throw new Error(`${url} can not be reached: ${String((error as Error).cause ?? error)}`)
  })
  // a proxy’s own answer is no JSON
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
  if (response.ok) return answer
  const why = answer.error_description ?? answer.detail ?? answer.error ?? 'no word why'
  throw new Error(`${url} answers ${response.status}: ${String(why)}`)
}

function sentenceOf({ kind, id }: { kind: Kind; id: string }, answer: Record<string, unknown>): string {
  if (answer.event === null) return `Nothing was left to revoke of ${kind} ${id}.`
  const { issued_before: cutoff } = answer
  const until =
    typeof cutoff === 'number'
      ? `, for what was issued until ${new Date(cutoff * 1000).toISOString()}`
      : ', for good'
  return `Revoked: ${kind} ${id}${until}. Event ${String(answer.event)}.`
}
