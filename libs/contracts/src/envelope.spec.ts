import { describe, expect, it } from '@jest/globals'
import { canonicalJson } from './canonical-json.js'
import { definitionOf } from './catalogue.js'
import { type Envelope, eventLine, parseEventLine, recordedEvent, schemaOf } from './envelope.js'

const event: Envelope = {
  specversion: '1.0',
  id: '0199aa00-0000-7000-8000-0000000000e1',
  type: 'grant.approved.v1',
  source: 'consent',
  subject: 'grant-0199aa00-0000-7000-8000-0000000000f1',
  time: '2026-01-01T00:00:00.123Z',
  datacontenttype: 'application/json',
  dataschema: schemaOf('grant.approved.v1'),
  logseq: 7,
  streamversion: 1,
  authtype: 'person',
  authid: '0199aa00-0000-7000-8000-0000000000ad',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: definitionOf('grant.approved').example,
}

describe('a line of the log', () => {
  it('is one line and gives the event back', () => {
    expect(eventLine(event)).not.toMatch(/[\r\n]/)
    expect(parseEventLine(eventLine(event))).toEqual(event)
  })

  it('has the same bytes whatever the order of the attributes', () => {
    const reversed = Object.fromEntries(Object.entries(event).reverse()) as Envelope
    expect(eventLine(reversed)).toBe(eventLine(event))
  })

  it('may have no traceparent', () => {
    const { traceparent: _, ...untraced } = event
    expect(parseEventLine(eventLine(untraced))).toEqual(untraced)
  })

  it('keeps attributes and facts that this build does not know: the audit log hashes the same bytes', () => {
    const line = canonicalJson({ ...event, newattribute: 'x', data: { ...event.data, newFact: [1] } })
    expect(eventLine(parseEventLine(line))).toBe(line)
  })

  it.each(Object.keys(event).filter(name => name !== 'traceparent'))('is refused without %s', name => {
    const { [name]: _, ...rest } = event as Record<string, unknown>
    expect(() => parseEventLine(canonicalJson(rest))).toThrow(name)
  })

  it.each<[string, string, unknown]>([
    ['another CloudEvents version', 'specversion', '0.3'],
    ['an id that is no UUID', 'id', '7'],
    ['an unknown source', 'source', 'audit'],
    ['a time without milliseconds', 'time', '2026-01-01T00:00:00Z'],
    ['a time in another zone', 'time', '2026-01-01T00:00:00.000+01:00'],
    ['a day that does not exist', 'time', '2026-02-30T00:00:00.000Z'],
    ['another content type', 'datacontenttype', 'text/plain'],
    ['a number of zero', 'logseq', 0],
    ['a number that is text', 'logseq', '7'],
    ['a number that is no integer', 'logseq', 1.5],
    ['a number that a double cannot hold', 'logseq', 2 ** 53],
    ['a stream version of zero', 'streamversion', 0],
    ['an unknown kind of actor', 'authtype', 'robot'],
    ['facts that are no object', 'data', []],
    ['facts that are null', 'data', null],
    ['a name that is a number', 'type', 7],
    ['a subject that is null', 'subject', null],
    ['a schema that is a number', 'dataschema', 7],
    ['an actor that is a number', 'authid', 7],
    ['a trace context that is a number', 'traceparent', 7],
  ])('is refused with %s', (_, name, value) => {
    expect(() => parseEventLine(canonicalJson({ ...event, [name]: value }))).toThrow(name)
  })

  it.each([
    ['nothing', ''],
    ['half a line', eventLine(event).slice(0, 80)],
    ['two lines', `${eventLine(event)}\n${eventLine(event)}`],
  ])('is refused as %s', (_, line) => {
    expect(() => parseEventLine(line)).toThrow(SyntaxError)
  })

  it.each(['null', '[]', '"text"', '1'])('is refused as %s', line => {
    expect(() => parseEventLine(line)).toThrow(/expected object/)
  })
})

describe('what a handler reads', () => {
  it('is the fact with its place in the log', () => {
    expect(recordedEvent(event)).toEqual({
      type: 'grant.approved',
      data: event.data,
      id: event.id,
      source: 'consent',
      streamId: event.subject,
      streamVersion: 1,
      logSeq: 7,
      time: event.time,
      actor: { type: 'person', id: event.authid },
    })
  })

  it.each(['grant.forgotten.v1', 'grant.approved.v2', 'grant.approved', 'feed.heartbeat.v1'])(
    'is nothing where the build does not know %s',
    type => {
      expect(recordedEvent({ ...event, type })).toBeUndefined()
    },
  )
})
