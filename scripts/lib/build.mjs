/**
 * Builds the packages in dependency order, each only when its own sources or those it builds on have changed.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runToolQuietly, TOOLS } from './tools.mjs'

/** Waves of packages; those of one wave do not depend on each other. */
const WAVES = [['sip-parser'], ['sip-transaction', 'rtp-relay'], ['server']]

/** Builds what is out of date, or everything when forced. Throws with the compiler's output when a build fails. */
export async function ensureBuilt({ force = false } = {}) {
  let inherited = ''
  for (const wave of WAVES) {
    const keys = wave.map((name) => ({ name, key: sourceKey(name, inherited) }))
    const stale = keys.filter(({ name, key }) => force || !isBuilt(name, key))
    await Promise.all(stale.map(({ name, key }) => build(name, key)))
    inherited += keys.map(({ key }) => key).join('')
  }
}

async function build(name, key) {
  console.log(`Building @carillon/${name} …`)
  const { code, output } = await runToolQuietly(TOOLS.tsup, ['--silent'], { cwd: `packages/${name}` })
  if (code !== 0) throw new Error(`${output}\nBuilding @carillon/${name} failed.`)
  mkdirSync('node_modules/.carillon', { recursive: true })
  writeFileSync(stampOf(name), key)
}

function isBuilt(name, key) {
  const stamp = stampOf(name)
  return existsSync(`packages/${name}/dist/index.js`) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key
}

function stampOf(name) {
  return `node_modules/.carillon/built-${name}`
}

function sourceKey(name, inherited) {
  const hash = createHash('sha256').update(inherited)
  const files = [`packages/${name}/package.json`, `packages/${name}/tsup.config.ts`, 'tsconfig.json', 'pnpm-lock.yaml']
  const sources = readdirSync(`packages/${name}/src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of [...files, ...sources.sort()]) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}
