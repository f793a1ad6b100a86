#!/usr/bin/env node
/**
 * Runs one of the examples: `npm run example -- NAME [options]`. Called as a program it does so without installing
 * anything first, which is what tests want.
 */
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT, runFromSource } from './tools.mjs'

/** Runs the example named first with the options that follow; its exit code is the result. */
export function runExample([name, ...args]) {
  const names = readdirSync('examples')
    .filter((file) => file.endsWith('.ts'))
    .map((file) => basename(file, '.ts'))
  if (names.includes(name)) {
    return runFromSource(`examples/${name}.ts`, args, ['--import', './scripts/lib/workspace-packages.mjs'])
  }
  console.error(`usage: npm run example -- ${names.join('|')} [options]`)
  return Promise.resolve(2)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(ROOT)
  process.exitCode = await runExample(process.argv.slice(2))
}
