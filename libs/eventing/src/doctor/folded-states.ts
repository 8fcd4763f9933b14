import { canonicalJson, type Service } from '@grantlog/contracts'
import type pg from 'pg'
import type { AnyDecider, NewEvent } from '../decider.js'
import { factOf } from '../event-store.js'
import { versionOfState } from '../state-tag.js'
import { bad, type Finding, fine } from './finding.js'

const name = 'folded-states'
const batch = 100
/** Findings that are told. */
const most = 10

/**
 * Whether every stream's stored state is what its events say when they are replayed up to its version, and its deadline is known. A state that another
 * build folded is folded anew when it is needed: it can not be wrong. Needs the service's own code, so the service's own program runs it.
 */
export async function foldedStates(
  service: Service,
  db: pg.ClientBase,
  deciders: readonly AnyDecider[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  let [right, older] = [0, 0]
  for (const decider of deciders) {
    for await (const { streamId, state, stateOf, deadline, events } of streamsOf(db, decider)) {
      const due = decider.deadline?.at(replay(decider, events)) ?? null
      if (due !== null && deadline === null)
        findings.push(
          bad(
            name,
            service,
            'error',
            `nobody will see what time brings to ${streamId}`,
            `Its row in streams has lost its deadline: update streams set deadline = ${due} where stream_id = '${streamId}'.`,
          ),
        )
      else if (stateOf === 0) older += 1
      else if (canonicalJson(state) === canonicalJson(replay(decider, events.slice(0, stateOf)))) right += 1
      else
        findings.push(
          bad(
            name,
            service,
            'error',
            `the stored state of ${streamId} is not what its events say`,
            `Somebody changed it, or a decider is not pure. Fold it anew: update streams set state_tag = '' where stream_id = '${streamId}'.`,
          ),
        )
      if (findings.length === most) return findings
    }
  }
  if (findings.length > 0) return findings
  const also =
    older > 0 ? `; ${older} were folded by another build and are folded anew when they are needed` : ''
  return [fine(name, service, `the states of ${right} streams are what a replay gives${also}`)]
}

function replay(decider: AnyDecider, events: readonly NewEvent[]): unknown {
  const state = events.reduce<unknown>((folded, event) => decider.evolve(folded, event), decider.initial)
  return JSON.parse(JSON.stringify(state))
}

interface StreamRow {
  stream_id: string
  version: number
  state: unknown
  state_tag: string
  deadline: string | null
  events: { type: string; data: object; internal: object | null }[] | null
}

async function* streamsOf(db: pg.ClientBase, decider: AnyDecider) {
  for (let after = ''; ; ) {
    const { rows } = await db.query<StreamRow>({
      name: 'folded-streams',
      text: `
        with next as (
          select stream_id, version, state, state_tag, deadline from streams
          where stream_id like $1 and stream_id > $2 order by stream_id limit $3
        )
        select s.*, (
          select json_agg(json_build_object('type', type, 'data', data, 'internal', internal) order by stream_version)
          from events e where e.stream_id = s.stream_id and e.stream_version <= s.version
        ) as events
        from next s order by s.stream_id`,
      values: [`${decider.category}-%`, after, batch],
    })
    for (const { stream_id, version, state, state_tag, deadline, events } of rows)
      yield {
        streamId: stream_id,
        state,
        stateOf: versionOfState(decider, state_tag, version),
        deadline,
        events: (events ?? []).map(factOf),
      }
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.stream_id
  }
}
