import { type Reader, readersOf, type Topic, topics } from '@grantlog/contracts'
import { topicsOf } from '@grantlog/eventing'
import { expect, it } from '@jest/globals'
import { clients } from '../../apps/clients/src/clients.service.js'
import { consent } from '../../apps/consent/src/consent.service.js'
import { resource } from '../../apps/resource/src/resource.service.js'
import { token } from '../../apps/token/src/token.service.js'

it.each([clients, consent, token, resource])(
  'the catalogue says which topics $name reads: no more, no less',
  ({ name, events }) => {
    const { service, projections } = events ?? { service: undefined, projections: [] }
    const ofOthers = projections
      .flatMap(topicsOf)
      .filter(topic => topics[topic].writers.some(w => w !== service))
    // each of them guards an API of its own, and hears for that what is revoked
    const wanted = new Set<Topic>([...ofOthers, 'revocations'])
    const readable = (Object.keys(topics) as Topic[]).filter(topic =>
      readersOf(topic).includes(name as Reader),
    )
    expect(new Set(readable)).toEqual(wanted)
  },
)
