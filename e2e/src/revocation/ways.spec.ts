import { revocationReasons, revocationTargets } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import { ways } from './ways.js'

describe('the ways to revoke that are tried', () => {
  it.each(revocationTargets)('reach a %s', target => {
    expect(ways.filter(way => way.target === target)).not.toEqual([])
  })

  it.each(revocationReasons)('say %s', reason => {
    expect(ways.filter(way => way.reason === reason)).not.toEqual([])
  })
})
