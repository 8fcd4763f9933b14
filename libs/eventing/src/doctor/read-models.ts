import { bad, type Check, fine } from './finding.js'

const name = 'read-models'

/** Whether every read model of the service goes on, with nothing parked. */
export const readModels: Check = async ({ service, db }) => {
  const { rows: there } = await db.query<{ there: boolean }>(
    `select to_regclass('projections') is not null and to_regclass('parked') is not null as there`,
  )
  if (there[0]?.there !== true) return []
  const { rows } = await db.query<{
    name: string
    security: boolean
    trouble: string | null
    keys: number
    events: number
  }>(
    `select p.name, p.security, p.trouble, count(distinct k.key)::int as keys, count(k.key)::int as events
     from projections p left join parked k on k.projection = p.name
     group by p.name, p.security, p.trouble order by p.name`,
  )
  const findings = rows.flatMap(({ name: projection, security, trouble, keys, events }) => [
    ...(trouble === null
      ? []
      : [
          bad(
            name,
            service,
            security ? 'error' : 'warning',
            `${projection} stands still: ${trouble}`,
            'If events are missing, run doctor with the databases of all services and with Kafka: it says where. If its code fails, start a build that is mended.',
          ),
        ]),
    ...(events === 0
      ? []
      : [
          bad(
            name,
            service,
            'warning',
            `${projection} has parked ${events} events of ${keys} keys that it could not apply`,
            `Start a build that can, then grantlog projections retry ${projection} KEY; or leave them out: grantlog projections skip.`,
          ),
        ]),
  ])
  return findings.length > 0 ? findings : [fine(name, service, `${rows.length} read models go on`)]
}
