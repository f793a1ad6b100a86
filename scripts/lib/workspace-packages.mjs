/** Lets the examples import the packages by name, as a program does that has installed them. */
import { registerHooks } from 'node:module'

const examples = new URL('../../examples/', import.meta.url).href
/** A package that depends on the others, and so has them in its node_modules. */
const dependent = new URL('../../packages/server/package.json', import.meta.url).href

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier.startsWith('@carillon/') && context.parentURL?.startsWith(examples))
      return nextResolve(specifier, { ...context, parentURL: dependent })
    return nextResolve(specifier, context)
  },
})
