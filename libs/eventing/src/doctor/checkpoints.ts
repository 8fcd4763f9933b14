import type { Service } from '@grantlog/contracts'
import { bad, type Finding, fine, logIsOlder, type Patient } from './finding.js'

const name = 'checkpoints'

/**
 * Whether no read model, of whatever service, is further than the log that it reads: then that log is older than what was read
 * of it. A service counts as its own reader too.
 */
export async function checkpoints(patients: readonly Patient[]): Promise<Finding[]> {
  // positions before ends: what is appended between is no fault
  const applied: { projection: string; source: Service; last: number; reader: Service }[] = []
  for (const { service, db } of patients) {
    const { rows } = await db.query<{ projection: string; source: Service; last: number }>(
      `select projection, source, max(position::bigint)::float8 as last
       from checkpoints, jsonb_each_text(positions) as p (source, position) group by projection, source order by projection`,
    )
    applied.push(...rows.map(row => ({ ...row, reader: service })))
  }
  const findings: Finding[] = []
  for (const { service, db } of patients) {
    const { rows } = await db.query<{ last: number }>('select last_seq::float8 as last from log_end')
    const end = rows[0]?.last ?? 0
    const beyond = applied.filter(({ source, last }) => source === service && last > end)
    const said = beyond.map(
      ({ projection, reader, last }) => `${projection} of ${reader} has applied ${last}`,
    )
    findings.push(
      beyond.length === 0
        ? fine(name, service, 'no read model is further than the log')
        : bad(
            logIsOlder,
            service,
            'error',
            `the log ends at ${end}, but ${said.join('; ')}`,
            olderThanRead(service),
          ),
    )
  }
  return findings
}

/** What to do where a log was restored that is older than what others have read of it. */
export const olderThanRead = (service: Service) =>
  `The log was restored from a dump that is older than what others know. Keep ${service} stopped: it would give the same numbers ` +
  'to other events, and readers would drop those as duplicates. Restore a newer backup. If there is none, what is missing is lost: ' +
  'see “The dump is older than what was read” in docs/how-to/back-up-and-restore.md.'
