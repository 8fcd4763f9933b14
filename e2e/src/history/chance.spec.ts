import { describe, expect, it } from '@jest/globals'
import { Chance } from './chance.js'
import { planFaults } from './faults.js'

describe('a seed', () => {
  it('gives the same choices and the same faults every time, and another seed others', () => {
    const plan = (seed: number) => planFaults(new Chance(seed), { milliseconds: 60_000, kafka: true })
    expect(plan(7)).toEqual(plan(7))
    expect(plan(8)).not.toEqual(plan(7))
    expect(new Chance(7).hex(32)).toBe(new Chance(7).hex(32))
  })

  it('reaches every fault, those of Kafka only where there is one', () => {
    const kinds = (kafka: boolean) =>
      new Set(planFaults(new Chance(1), { milliseconds: 3_600_000, kafka }).map(({ kind }) => kind))
    expect(kinds(true).size).toBe(16)
    expect([...kinds(false)].filter(kind => kind.endsWith('kafka'))).toEqual([])
    expect(kinds(false).size).toBe(9)
  })

  it('chooses as often as the weights say', () => {
    const chance = new Chance(3)
    const picked = Array.from({ length: 4000 }, () => chance.weighted({ often: 3, seldom: 1, never: 0 }))
    const often = picked.filter(name => name === 'often').length
    expect(often / picked.length).toBeCloseTo(0.75, 1)
    expect(picked).not.toContain('never')
  })
})
