import type { Invocation, Operation } from './history.js'
import type { Message, Store, StoredEvent } from './stores.js'

/** One thing that is not as it must be, in a sentence. */
export type Finding = string

/** Which events an operation stores, all in one append: when it is acknowledged, and when it is refused. */
const effects: Readonly<Record<Operation, { ok: readonly string[]; refused: readonly string[] }>> = {
  register: { ok: ['client.registered'], refused: [''] },
  update: { ok: ['client.updated'], refused: [''] },
  suspend: { ok: ['client.suspended token.revoked', ''], refused: [''] },
  reinstate: { ok: ['client.reinstated', ''], refused: [''] },
  delete: { ok: ['client.deleted token.revoked'], refused: [''] },
  credentials: { ok: ['token.issued'], refused: [''] },
  approve: {
    ok: ['grant.approved grant.code-issued', 'grant.amended grant.code-issued', 'grant.code-issued'],
    refused: [''],
  },
  redeem: { ok: ['code.redeemed token.issued'], refused: ['', 'code.replayed token.revoked'] },
  // nobody is taken for a thief
  refresh: { ok: ['token.issued'], refused: [''] },
  revoke: { ok: ['token.revoked', ''], refused: [''] },
  'revoke-grant': { ok: ['grant.revoked token.revoked', ''], refused: [''] },
}

/**
 * What each call left in the stores is what its answer said: an acknowledged one its events, once; a refused one nothing that
 * contradicts the refusal; one without an answer all of its events or none. Nothing is stored that nobody asked for.
 * @param since the last number that each store had before the first call
 * @param aside the trace of calls that are none of the history
 */
export function callsAndEventsAgree(
  invocations: readonly Invocation[],
  stores: readonly Store[],
  since: Readonly<Record<string, number>>,
  aside?: string,
): Finding[] {
  const fresh = stores.flatMap(({ source, events }) =>
    events.filter(({ logSeq }) => logSeq > (since[source] ?? 0)),
  )
  const byTrace = Map.groupBy(fresh, event => event.trace)
  const known = new Set([...invocations.map(({ trace }) => trace), aside])
  return [
    ...invocations.flatMap(invocation => disagreements(invocation, byTrace.get(invocation.trace) ?? [])),
    ...fresh
      .filter(({ trace }) => trace !== null && !known.has(trace))
      .map(event => `${nameOf(event)} was stored, and nobody had asked for it`),
  ]
}

function disagreements(invocation: Invocation, events: readonly StoredEvent[]): Finding[] {
  const { operation, outcome, answer, trace, facts } = invocation
  const { ok, refused } = effects[operation]
  const allowed = { ok, failed: refused, unknown: ['', ...ok, ...refused] }[outcome]
  const stored = events.map(({ type }) => type).join(' ')
  const call = `${operation} ${trace} (${outcome}: ${answer})`
  if (!allowed.includes(stored)) return [`${call} stored “${stored}” instead of “${allowed.join('” or “')}”`]
  if (outcome !== 'ok') return []
  return Object.entries(facts)
    .filter(([name, value]) => isTold(name, events) && !events.some(event => says(event, value)))
    .map(([name, value]) => `${call} answered ${name} ${value}, and no event of it says so`)
}

/**
 * What a call sent only to be recognised is not part of its events: the hash of a code, of the refresh token that it replaced. Nor is
 * the successor that is given once more: asked again, by accident or because the answer was lost, nothing rotates.
 */
function isTold(name: string, events: readonly StoredEvent[]): boolean {
  if (name === 'code' || name === 'presented') return false
  return name === 'next' ? events.some(isRotation) : events.length > 0
}

const isRotation = ({ type, data }: StoredEvent) => type === 'token.issued' && data.refresh !== undefined

const says = ({ data, internal, streamId }: StoredEvent, value: string) =>
  streamId.endsWith(value) || JSON.stringify([data, internal]).includes(JSON.stringify(value))

/** An acknowledged revocation is in the store, by whomever it was; nothing is issued or revoked twice. */
export function streamsMakeSense(invocations: readonly Invocation[], stores: readonly Store[]): Finding[] {
  const events = stores.flatMap(store => store.events)
  const once = ['client.registered', 'client.deleted', 'code.redeemed', 'grant.approved', 'grant.revoked']
  const perStream = Map.groupBy(
    events.filter(
      ({ type, streamId }) =>
        once.includes(type) || (type === 'token.revoked' && !streamId.startsWith('client-')),
    ),
    ({ type, streamId, source }) => `${source}: ${type} in ${streamId}`,
  )
  const issued = Map.groupBy(
    events.filter(({ type }) => type === 'token.issued'),
    ({ data }) => `token.issued of ${data.tokenId}`,
  )
  const rotated = Map.groupBy(
    events.filter(isRotation),
    ({ data, streamId }) => `the rotation ${Reflect.get(Object(data.refresh), 'generation')} in ${streamId}`,
  )
  const revoked = new Set(
    events.filter(({ type }) => type === 'token.revoked').map(({ streamId }) => streamId),
  )
  const lost = invocations.filter(({ operation, outcome, facts }) => {
    if (outcome !== 'ok') return false
    if (operation === 'revoke') return !revoked.has(`family-${facts.familyId}`)
    return operation === 'revoke-grant' && !revoked.has(`grant-${facts.grantId}`)
  })
  return [
    ...[...perStream, ...issued, ...rotated]
      .filter(([, same]) => same.length > 1)
      .map(([what, same]) => `${what} is there ${same.length} times`),
    ...lost.map(({ operation, trace }) => `${operation} ${trace} was acknowledged, and nothing is revoked`),
  ]
}

/** Of all uses of a code at most one succeeds, whichever instance was asked; of a refresh token, all give the same successor. */
export function oneTimeThings(invocations: readonly Invocation[]): Finding[] {
  const successes = (wanted: Operation) =>
    invocations.filter(({ operation, outcome }) => outcome === 'ok' && operation === wanted)
  const where = (calls: readonly Invocation[]) =>
    calls.map(({ instance, trace }) => `${instance} ${trace}`).join(', ')
  return [
    ...[...Map.groupBy(successes('redeem'), ({ facts }) => facts.code)]
      .filter(([, calls]) => calls.length > 1)
      .map(([code, calls]) => `redeem: ${code} was good ${calls.length} times (${where(calls)})`),
    ...[...Map.groupBy(successes('refresh'), ({ facts }) => facts.presented)]
      .map(([presented, calls]) => ({
        presented,
        calls,
        next: new Set(calls.map(({ facts }) => facts.next)),
      }))
      .filter(({ next }) => next.size > 1)
      .map(
        ({ presented, calls, next }) => `refresh: ${presented} has ${next.size} successors (${where(calls)})`,
      ),
  ]
}

/** The log numbers every event, 1 to n; every stream’s versions are 1 to n, and its row says n. */
export function logIsDense({ source, events, lastSeq, versions }: Store): Finding[] {
  const numbers = events.map(({ logSeq }) => logSeq).sort((a, b) => a - b)
  const gap = numbers.findIndex((number, index) => number !== index + 1)
  const streams = Map.groupBy(events, ({ streamId }) => streamId)
  return [
    ...(gap < 0 ? [] : [`${source}: where ${gap + 1} must be, the log has ${numbers[gap]}`]),
    ...(lastSeq === numbers.length ? [] : [`${source}: the log ends at ${lastSeq}, of ${numbers.length}`]),
    ...[...streams].flatMap(([streamId, own]) => {
      const found = own.map(({ streamVersion }) => streamVersion).sort((a, b) => a - b)
      const dense = found.every((version, index) => version === index + 1)
      return dense ? [] : [`${source}: ${streamId} has the versions ${found}`]
    }),
    ...[...new Set([...streams.keys(), ...versions.keys()])].flatMap(streamId => {
      const [says, has] = [versions.get(streamId) ?? 0, streams.get(streamId)?.length ?? 0]
      return says === has ? [] : [`${source}: the row of ${streamId} says version ${says} of ${has}`]
    }),
  ]
}

/** Every stored event is in the topics, the same bytes; each source’s events of a partition are a chain, older ones may come again. */
export function topicsEqualStores(messages: readonly Message[], stores: readonly Store[]): Finding[] {
  const missing = stores.flatMap(({ source, lines }) => {
    const published = new Set(
      messages.filter(message => message.source === source).map(({ logSeq }) => logSeq),
    )
    return lines.flatMap((_, index) =>
      published.has(index + 1) ? [] : [`${source}: event ${index + 1} was not published`],
    )
  })
  const chains = [...Map.groupBy(messages, ({ place, source }) => `${source} → ${place}`)]
  return [
    ...missing,
    ...chains.flatMap(([chain, own]) => {
      let last = 0
      return own.flatMap(({ source, logSeq, previous, line }) => {
        const stored = stores.find(store => store.source === source)?.lines[logSeq - 1]
        const findings = line === stored ? [] : [`${chain}: event ${logSeq} is not what is stored: ${line}`]
        if (logSeq > last) {
          if (previous !== last) findings.push(`${chain}: event ${logSeq} follows ${previous}, after ${last}`)
          last = logSeq
        }
        return findings
      })
    }),
  ]
}

const nameOf = ({ source, logSeq, type, streamId, streamVersion }: StoredEvent) =>
  `${source}: ${type} (number ${logSeq}, ${streamId} ${streamVersion})`
