import { randomUUID } from 'node:crypto'
import { type Envelope, type Service, schemaOf } from '@grantlog/contracts'
import { partitionOf } from '@grantlog/eventing'

/** What is revoked: the target, and the cutoff in seconds (null: all of its tokens). */
export interface Revocation {
  readonly target: Target
  readonly issuedBefore: number | null
}

export interface Target {
  readonly kind: string
  readonly id: string
}

/** A feed of our own, that a consumer is made to read. */
export interface Feed {
  /** What the consumer is told to read it by: names in braces in its command, and variables of its environment. */
  readonly address: Readonly<Record<'brokers' | 'prefix' | 'url' | 'tokenFile', string>>
  /** Begins to say that it lives, with these revocations of half an hour ago already on it. */
  open(earlier: readonly Revocation[]): Promise<void>
  revoke(...revocations: readonly Revocation[]): Promise<void>
  /** Ends it, and takes away what was made for it. */
  close(): Promise<void>
}

export const partitions = [0, 1, 2] as const

/** A new target that comes on a partition. */
export function targetOn(partition: number, kind = 'grant'): Target {
  for (;;) {
    const target = { kind, id: randomUUID() }
    if (partitionOfTarget(target) === partition) return target
  }
}

export const partitionOfTarget = ({ kind, id }: Target) => partitionOf('revocations', `${kind}-${id}`)

/** The event as a service of tomorrow may say it: with fields that nobody knows today. */
export function grown(event: Envelope): Envelope & { readonly region: string } {
  const target = { ...Object(event.data.target), label: 'new' }
  return { ...event, region: 'north', data: { ...event.data, note: 'new', target } }
}

/** An event of a type that nobody knows today. */
export function ofUnknownType(event: Envelope): Envelope {
  const type = 'token.restricted.v1'
  return { ...event, type, dataschema: schemaOf(type), data: { measure: 'half' } }
}

/** Numbers the events of each source, as its log does. */
export class SourceLogs {
  readonly #last = new Map<Service, number>()

  revoked({ target, issuedBefore }: Revocation, source: Service = 'consent', time = new Date()): Envelope {
    const type = 'token.revoked.v1'
    const logseq = (this.#last.get(source) ?? 0) + 1
    this.#last.set(source, logseq)
    return {
      specversion: '1.0',
      id: randomUUID(),
      type,
      source,
      subject: `${target.kind}-${target.id}`,
      time: time.toISOString(),
      datacontenttype: 'application/json',
      dataschema: schemaOf(type),
      logseq,
      streamversion: 1,
      authtype: 'system',
      authid: 'feed-check',
      data: { target, issuedBefore, reason: 'owner-revoked', cause: null },
    }
  }
}
