export { type Demonstration, makeDemonstration, type Once, type Operator } from './demonstration.js'
export { type ProofStep, prove, Steps } from './proof.js'
export { grantsOf, type Site } from './site.js'
export { type Form, formOf, type Page, Visitor } from './visitor.js'
