import { definitionOf, type RecordedEvent, revocationTargets, streamOf } from '@grantlog/contracts'
import { fold, type Row } from '@grantlog/eventing'
import { expect, it } from '@jest/globals'
import { revocations } from './revocations.projection.js'

it.each(revocationTargets)(
  'a revocation of a %s is kept exactly if it reaches more than one family',
  kind => {
    const definition = definitionOf('token.revoked')
    const data = { ...definition.example, target: { kind, id: 'x' }, issuedBefore: 7 }
    const event = { type: 'token.revoked', data, streamId: streamOf(definition, data) }
    const rows = new Map<string, Row | undefined>()
    fold(revocations, rows, [event as unknown as RecordedEvent])
    expect([...rows.values()]).toEqual(
      kind === 'token' || kind === 'family' ? [] : [{ target: `${kind}:x`, issued_before: 7 }],
    )
  },
)
