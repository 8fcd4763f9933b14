import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  canonicalJson,
  type Envelope,
  parseEventLine,
  type RecordedEvent,
  recordedEvent,
} from '@grantlog/contracts'
import { fold, type Projection, type Row } from '@grantlog/eventing'
import { type Backbone, type DatabaseName, databaseNames } from '@grantlog/launcher'
import type { Finding } from './checks.js'
import { type Store, withDatabase } from './stores.js'

/** Every row of every read model is what a replay of the stored events gives, byte for byte. */
export async function readModelsEqualReplay(
  backbone: Backbone,
  stores: readonly Store[],
): Promise<Finding[]> {
  const events = stores.flatMap(({ lines }) => lines.map(parseEventLine)).flatMap(recorded)
  const findings = await Promise.all(
    databaseNames.map(async service => {
      const projections = await projectionsOf(service)
      return withDatabase(backbone.databaseUrl(service), async client => {
        const found: Finding[] = []
        for (const projection of projections) {
          const { rows } = await client.query<{ row: Row }>(
            `select to_json(t) as row from ${projection.table} t`,
          )
          // text[] and bigint as Postgres gives them: the replayed rows go through the same types
          const replayed = await client.query<{ row: Row }>(
            `select to_json(t) as row from json_populate_recordset(null::${projection.table}, $1) t`,
            [JSON.stringify(replay(projection, events))],
          )
          found.push(...differences(projection, replayed.rows, rows))
        }
        return found
      })
    }),
  )
  return findings.flat()
}

/** The rows after all events, each source’s in the order of its log. */
export function replay(projection: Projection, events: readonly RecordedEvent[]): Row[] {
  const rows = new Map<string, Row | undefined>()
  fold(projection, rows, events)
  return [...rows.values()].filter(row => row !== undefined)
}

export function differences(
  { name, key }: Pick<Projection, 'name' | 'key'>,
  replayed: readonly { readonly row: Row }[],
  found: readonly { readonly row: Row }[],
): Finding[] {
  const [expected, actual] = [replayed, found].map(
    rows => new Map(rows.map(({ row }) => [String(Reflect.get(row, key)), canonicalJson(row)])),
  )
  return [...new Set([...(expected?.keys() ?? []), ...(actual?.keys() ?? [])])].flatMap(row => {
    const [should, is] = [expected?.get(row) ?? 'no row', actual?.get(row) ?? 'no row']
    return should === is ? [] : [`${name}, ${row}: ${is} instead of ${should}`]
  })
}

const recorded = (event: Envelope) => recordedEvent(event) ?? []

/** What a service’s `projections/` define. No module of a service is imported by name: its folder says what there is. */
async function projectionsOf(service: DatabaseName): Promise<Projection[]> {
  const built = import.meta.filename.endsWith('.js')
  const folder = join(import.meta.dirname, '../../../apps', service, built ? 'dist' : 'src', 'projections')
  const ending = built ? '.projection.js' : '.projection.ts'
  const files = await readdir(folder).catch(() => [])
  const modules = await Promise.all(
    files
      .filter(file => file.endsWith(ending))
      .map(file => import(pathToFileURL(join(folder, file)).href) as Promise<Record<string, unknown>>),
  )
  return modules.flatMap(module => Object.values(module).filter(isProjection))
}

function isProjection(value: unknown): value is Projection {
  return typeof value === 'object' && value !== null && 'table' in value && 'on' in value
}
