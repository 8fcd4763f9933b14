import { expect, it } from '@jest/globals'
import { traceOf } from './trace.js'

it('begins a trace with ids that nobody had before (W3C Trace Context §3.2.2)', () => {
  const traces = Array.from({ length: 1000 }, () => traceOf(undefined))
  for (const { traceId, traceparent } of traces)
    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  expect(traces[0]?.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(new Set(traces.map(({ traceId }) => traceId))).toHaveProperty('size', 1000)
  expect(new Set(traces.map(({ traceparent }) => traceparent.split('-')[2]))).toHaveProperty('size', 1000)
})

it('goes on with the trace of its caller, as another span', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const { traceId: same, traceparent } = traceOf(`00-${traceId}-b7ad6b7169203331-01`)
  expect(same).toBe(traceId)
  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`))
})

it.each([
  ['none', undefined],
  ['another shape', 'abc'],
  ['nobody’s', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
])('begins its own where the caller has %s', (_, traceparent) => {
  const { traceId } = traceOf(traceparent)
  expect(traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(traceId).not.toMatch(/^0+$/)
})
