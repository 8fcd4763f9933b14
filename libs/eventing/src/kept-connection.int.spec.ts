import { expect, it } from '@jest/globals'
import { KeptConnection } from './kept-connection.js'
import { aLog } from './specs/a-log.js'

it('is given to nobody before it is prepared', async () => {
  const log = await aLog('kept_connection')
  const { promise: prepared, resolve: prepare } = Promise.withResolvers<void>()
  const { promise: opening, resolve: opens } = Promise.withResolvers<void>()
  const got: number[] = []
  const connection = new KeptConnection(log.pool, () => {
    opens()
    return prepared
  })
  try {
    const first = connection.get().then(() => got.push(1))
    await opening
    const second = connection.get().then(() => got.push(2))
    await new Promise(setImmediate)
    expect(got).toEqual([])
    prepare()
    await Promise.all([first, second])
    expect(got).toEqual([1, 2])
  } finally {
    prepare()
    connection.close()
    await log.drop()
  }
})
