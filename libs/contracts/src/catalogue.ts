import type { z } from 'zod'
import { type EventDefinition, versionsOf, wireType } from './event.js'
import * as clients from './events/clients.js'
import * as consent from './events/consent.js'
import * as revocation from './events/revocation.js'
import * as token from './events/token.js'

/** Every event of the platform. What else exists of an event (type, schema, topic, document) derives from its entry here. */
export const catalogue = [
  clients.clientRegistered,
  clients.clientUpdated,
  clients.clientSuspended,
  clients.clientReinstated,
  clients.clientDeleted,
  clients.apiRegistered,
  clients.apiUpdated,
  clients.apiSuspended,
  clients.apiReinstated,
  consent.accountRegistered,
  consent.accountPasswordChanged,
  consent.accountSuspended,
  consent.accountReinstated,
  consent.organizationCreated,
  consent.organizationMemberAdded,
  consent.organizationMemberRemoved,
  consent.grantApproved,
  consent.grantAmended,
  consent.grantCodeIssued,
  consent.grantDeviceApproved,
  consent.grantDeviceDenied,
  consent.grantDenied,
  consent.grantRevoked,
  consent.grantExpired,
  token.codeRedeemed,
  token.codeReplayed,
  token.tokenIssued,
  token.refreshReplayed,
  token.familyExpired,
  token.keyAnnounced,
  token.keyActivated,
  token.keyRetired,
  token.keyCompromised,
  revocation.tokenRevoked,
] as const satisfies readonly EventDefinition[]

type Entry = (typeof catalogue)[number]
/** The dotted name of an event: `grant.approved`. */
export type EventType = Entry['type']
/** The facts that an event of the type carries. */
export type EventData<Type extends EventType> = z.infer<Extract<Entry, { type: Type }>['data']>
/** A fact as a decider makes it and `evolve` reads it, before it has a place in the log. */
export type Fact<Type extends EventType = EventType> = {
  [T in Type]: { readonly type: T; readonly data: EventData<T> }
}[Type]

const byType = new Map<string, EventDefinition>(catalogue.map(entry => [entry.type, entry]))
const byWireType = namesOnTheWire(catalogue)

/** The entry of an event by its dotted name. */
export function definitionOf(type: EventType): EventDefinition {
  const definition = byType.get(type)
  if (definition === undefined) throw new RangeError(`No event is called ${type}`)
  return definition
}

/** The dotted name behind a name on the wire, of whatever version; undefined for an event that this build does not know. */
export function eventTypeOf(wire: string): EventType | undefined {
  return byWireType.get(wire)?.definition.type as EventType | undefined
}

/** The facts of an event that was stored under any of its versions, as the current one has them; undefined for an unknown event. */
export function readFact(wire: string, data: Readonly<Record<string, unknown>>): Fact | undefined {
  return upcast(byWireType, wire, data) as Fact | undefined
}

type Names = ReadonlyMap<string, { readonly definition: EventDefinition; readonly version: number }>

/** Every name under which an event of these entries may have been stored. */
export function namesOnTheWire(entries: readonly EventDefinition[]): Names {
  return new Map(
    entries.flatMap(definition =>
      versionsOf(definition).map(each => [wireType(each), { definition, version: each.version }] as const),
    ),
  )
}

/** Brings the facts of an event from the version under which they were stored to the current one, step by step. */
export function upcast(
  names: Names,
  wire: string,
  data: Readonly<Record<string, unknown>>,
): { type: string; data: Readonly<Record<string, unknown>> } | undefined {
  const found = names.get(wire)
  if (found === undefined) return undefined
  const { definition, version } = found
  const steps = definition.earlier?.filter(each => each.version >= version) ?? []
  return { type: definition.type, data: steps.reduce((facts, step) => step.upcast(facts), data) }
}

/**
 * Checks the facts of an event against its schema before it is stored. Unknown fields are refused at every depth: they would be
 * for ever. @throws TypeError that names the event and each field that is wrong
 */
export function assertFact(fact: Fact): void {
  const result = definitionOf(fact.type).data.safeParse(fact.data)
  if (!result.success) {
    const where = result.error.issues.map(issue => `${issue.path.join('.') || 'data'}: ${issue.message}`)
    throw new TypeError(`${fact.type} is not valid: ${where.join('; ')}`)
  }
}
