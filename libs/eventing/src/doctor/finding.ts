import type { Service } from '@grantlog/contracts'
import type pg from 'pg'

/** What a check found. One that is ok says what it looked at. */
export interface Finding {
  readonly check: string
  readonly service: Service
  readonly ok: boolean
  /** `info`: all is well; `warning`: look at it; `error`: events are lost, hidden or held up. */
  readonly severity: 'info' | 'warning' | 'error'
  readonly what: string
  /** What to do about it; empty where all is well. */
  readonly todo: string
}

/** One service's database, in a transaction that sees one moment and changes nothing. */
export interface Patient {
  readonly service: Service
  readonly db: pg.ClientBase
}

/** The check of findings that say: others have read what this log does not hold. */
export const logIsOlder = 'log-is-older'

/** Looks at one thing. Never changes anything. */
export type Check = (patient: Patient) => Promise<Finding[]>

export const fine = (check: string, service: Service, what: string): Finding => ({
  check,
  service,
  ok: true,
  severity: 'info',
  what,
  todo: '',
})

export const bad = (
  check: string,
  service: Service,
  severity: 'warning' | 'error',
  what: string,
  todo: string,
): Finding => ({ check, service, ok: false, severity, what, todo })
