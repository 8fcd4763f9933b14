import { expect, it } from '@jest/globals'
import { Loop } from './loop.js'

it('started again while it stops, goes on, and its steps never overlap', async () => {
  let under = 0
  let most = 0
  let steps = 0
  const loop = new Loop(
    async () => {
      most = Math.max(most, ++under)
      steps += 1
      await new Promise(resolve => setTimeout(resolve, 5))
      under -= 1
      return 1
    },
    () => 1,
  )
  loop.start()
  const stopped = loop.stop()
  loop.start()
  await stopped
  const before = steps
  while (steps < before + 5) await new Promise(resolve => setTimeout(resolve, 1))
  await loop.stop()
  const after = steps
  await new Promise(resolve => setTimeout(resolve, 30))
  expect([most, under, steps]).toEqual([1, 0, after])
})
