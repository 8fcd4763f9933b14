import { expect, it } from '@jest/globals'
import { gathering } from './gathering.js'

const turn = () => new Promise(setImmediate)

it('waits for one turn when nothing else comes', async () => {
  let turns = 0
  const counting = (async () => {
    for (;;) {
      await turn()
      turns += 1
      if (turns > 5) return
    }
  })()
  await gathering(() => 1)
  expect(turns).toBeLessThanOrEqual(1)
  await counting
})

it('waits while more comes, and no longer', async () => {
  let count = 1
  const coming = (async () => {
    for (; count < 4; count++) await turn()
  })()
  await gathering(() => count)
  expect(count).toBe(4)
  await coming
})

it('does not wait for ever where more always comes', async () => {
  let count = 0
  let over = false
  const coming = (async () => {
    while (!over) {
      count += 1
      await turn()
    }
  })()
  await gathering(() => count)
  expect(count).toBeGreaterThan(1)
  over = true
  await coming
})
