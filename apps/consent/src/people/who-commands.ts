import type { CommandContext } from '@grantlog/eventing'
import { currentTrace } from '@grantlog/platform'
import { QueryFailedError } from 'typeorm'

export type WhoCommands = CommandContext

/** A signed-in person commands. */
export function person(accountId: string): WhoCommands {
  return { actor: { type: 'person', id: accountId }, traceparent: currentTrace()?.traceparent }
}

/** An operator's client commands. */
export function operator(clientId: string): WhoCommands {
  return { actor: { type: 'operator', id: clientId }, traceparent: currentTrace()?.traceparent }
}

/** What the work gives, or undefined when a unique key was taken. */
export async function ifUnique<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    const uniqueViolation = '23505'
    if (error instanceof QueryFailedError && error.driverError.code === uniqueViolation) return undefined
    throw error
  }
}
