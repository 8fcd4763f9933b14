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
export { type Demo, Installation, type ServiceName, serviceNames } from './installation.js'
export type { Options } from './options.js'
export { eventsSince, type LogLine, lastEvents } from './proof/log.js'
export { prove } from './proof/proof.js'
export { formOf, type Page, Visitor } from './proof/visitor.js'
export { nodeOptions, ServiceProcess } from './service-process.js'
export { System } from './system.js'
