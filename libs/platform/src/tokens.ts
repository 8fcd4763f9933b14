/** Injects a service's settings. */
export const CONFIG = Symbol('settings')
/** Injects the service's pino logger. */
export const LOGGER = Symbol('logger')
