import { createServer } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { freePort, freePorts } from './ports.js'

describe('free ports', () => {
  it('are all different, however many ask before anybody listens', async () => {
    const chosen = (await Promise.all(Array.from({ length: 20 }, () => freePorts(5)))).flat()
    expect(new Set(chosen).size).toBe(100)
  })

  it('are none that somebody listens at', async () => {
    const before = await freePort()
    const taken = createServer()
    await new Promise<void>(done => taken.listen(before + 1, '127.0.0.1', done))
    try {
      expect(await freePorts(20)).not.toContain(before + 1)
    } finally {
      taken.close()
    }
  })
})
