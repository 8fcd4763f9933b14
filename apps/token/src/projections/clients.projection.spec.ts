import { definitionOf, type EventType, type RecordedEvent } from '@grantlog/contracts'
import { fold, type Row } from '@grantlog/eventing'
import { expect, it } from '@jest/globals'
import { clients } from './clients.projection.js'

const event = (type: EventType) => ({ type, data: definitionOf(type).example }) as unknown as RecordedEvent

it.each<[string, EventType[]]>([
  ['that is used', ['client.registered', 'client.updated']],
  ['that is suspended', ['client.registered', 'client.suspended']],
])('nothing is left of a client %s, once it is deleted', (_, before) => {
  const rows = new Map<string, Row | undefined>()
  fold(clients, rows, before.map(event))
  expect(rows.get('ledgerly')).toMatchObject({ client_id: 'ledgerly' })
  fold(clients, rows, [event('client.deleted')])
  expect(rows.get('ledgerly')).toBeUndefined()
})
