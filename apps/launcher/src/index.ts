export { startBackbone } from './backbone.js'
export { silence } from './console.js'
export { createDemo } from './demo.js'
export {
  audienceOf,
  type Backbone,
  type DatabaseName,
  databaseNames,
  environmentOf,
  grantsUrlOf,
  migrationEnvironment,
} from './environment.js'
export { type Demo, Installation, type Premises, type ServiceName, serviceNames } from './installation.js'
export { eventsSince, type LogLine, lastEvents } from './log.js'
export { type Options, temporary } from './options.js'
export { prove } from './proof.js'
export { memoryEnv, nodeOptions, ServiceProcess } from './service-process.js'
export { System } from './system.js'
