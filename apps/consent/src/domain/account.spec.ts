import { describe, expect, it } from '@jest/globals'
import { account } from './account.js'

const register = { type: 'register', accountId: '0199aa00-0000-7000-8000-0000000000ad' } as const
const registered = [{ type: 'account.registered', data: { accountId: register.accountId } }] as const

describe('an account', () => {
  it.each([
    ['is registered', account.initial, registered],
    ['is registered once', { registered: true }, []],
  ])('%s', (_, given, then) => {
    expect(account.decide(register, given)).toEqual(then)
  })

  it('is known to exist from what was recorded', () => {
    const [event] = account.decide(register, account.initial)
    expect(event && account.evolve(account.initial, event)).toEqual({ registered: true })
  })

  it('records that it exists, and nothing of who she is', () => {
    const curious = {
      ...register,
      email: 'ada@example.com',
      name: 'Ada Byron',
      password: 'analytical-engine',
    }
    expect(account.decide(curious, account.initial)).toEqual(registered)
  })
})
