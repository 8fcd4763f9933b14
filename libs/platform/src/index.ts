export { clientCertificateOf } from './client-certificate.js'
export { ClientRequests, clientRequestSettings, type ReceivedRequest } from './client-requests.js'
export { Clock } from './clock.js'
export {
  type ConfigDefinition,
  type ConfigOf,
  ConfigurationError,
  type Contradiction,
  commonSettings,
  defineConfig,
  describeConfig,
  loadConfig,
} from './config.js'
export { migrate, openDatabase, poolOf } from './database.js'
export { ErrorFilter, type ErrorPage } from './error-filter.js'
export { type Check, HealthRegistry } from './health.js'
export { Limits, limitReport } from './limits/limits.js'
export { line } from './line.js'
export { createLogger } from './log.js'
export { Metrics } from './metrics.js'
export { JsonBody, Problem, parseBody } from './problem.js'
export {
  issuerEndpoint,
  platformAudienceSetting,
  ResourceServerModule,
  resourceServerSettings,
  signingKeysOf,
} from './resource-server.module.js'
export { secretKeysSetting } from './secret-keys-setting.js'
export { type Command, type ServiceDefinition, serve, settingsOf } from './serve.js'
export { type Setting, setting } from './setting.js'
export { CONFIG, LOGGER } from './tokens.js'
export { currentTrace } from './trace.js'
export { Turns } from './turns.js'
export { createUsedOnceTable, UsedOnce } from './used-once.js'
