/**
 * Lets Node run the packages' TypeScript as it is: relative imports there have no extension, as bundlers want them. Used
 * with the condition `carillon-source` and Node's own removal of types, so that fuzzer and simulation need no build.
 */
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (/^\.\.?\//.test(specifier) && context.parentURL?.endsWith('.ts')) {
      const url = new URL(`${specifier}.ts`, context.parentURL)
      if (existsSync(fileURLToPath(url))) return { url: url.href, format: 'module-typescript', shortCircuit: true }
    }
    return nextResolve(specifier, context)
  },
})
