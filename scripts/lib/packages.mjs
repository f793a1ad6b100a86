/**
 * Checks what would be published: the packed tarballs, by publint and attw, and by installing them in an empty folder
 * outside the workspace and using them there on each Node release line that they promise to support.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPnpm } from './install.mjs'
import { PINNED_NODE, ROOT, recordFailures, recordStage, runToolQuietly, TOOLS } from './tools.mjs'

const CORE = ['sip-parser', 'sip-transaction', 'rtp-relay']
const NAMES = [...CORE, 'server']

/**
 * Packs, lints and tries out every package. `nodeVersions` are release lines to fetch and try besides the pinned Node.
 * Returns 0 when all checks passed; each check is printed and recorded.
 */
export async function checkPackages({ nodeVersions }) {
  const box = mkdtempSync(join(tmpdir(), 'carillon-packages-'))
  let passed = 0
  let failed = 0
  const report = (name, ok, output) => {
    if (ok) passed += 1
    else failed += 1
    if (!ok) recordFailures([`${name}\n${output.trim()}`])
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}${ok ? '' : `\n${output.trim()}`}`)
  }
  try {
    for (const name of NAMES) await lintPackage(name, pack(name, box), report)
    installPacked(box)
    tryOut(box, [PINNED_NODE], 'the pinned Node', report)
    for (const version of nodeVersions)
      tryOut(box, ['npx', '--yes', '-p', `node@${version}`, 'node'], `Node ${version}`, report)
  } finally {
    rmSync(box, { recursive: true, force: true })
  }
  recordStage('packages', passed, failed)
  return failed === 0 ? 0 : 1
}

/** Packs one package as it would be published and returns the tarball's path. */
function pack(name, box) {
  const folder = join(box, 'tarballs', name)
  mkdirSync(folder, { recursive: true })
  const code = runPnpm(['pack', '--pack-destination', folder], { cwd: join(ROOT, 'packages', name) })
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (code !== 0 || !tarball) throw new Error(`Packing @carillon/${name} failed.`)
  return join(folder, tarball)
}

async function lintPackage(name, tarball, report) {
  const publint = await runToolQuietly(TOOLS.publint, ['run', tarball, '--strict'])
  report(`publint @carillon/${name}`, publint.code === 0, publint.output)
  const attw = await runToolQuietly(TOOLS.attw, [
    tarball,
    '--profile',
    'node16',
    '--no-color',
    '--format',
    'table-flipped',
  ])
  report(`types of @carillon/${name} (attw)`, attw.code === 0, attw.output)
}

/** Installs all tarballs into an empty folder, the way a user's npm would. */
function installPacked(box) {
  const app = join(box, 'app')
  mkdirSync(app)
  const dependencies = {}
  for (const name of NAMES) {
    const [tarball] = readdirSync(join(box, 'tarballs', name))
    dependencies[`@carillon/${name}`] = `file:../tarballs/${name}/${tarball}`
  }
  const manifest = { name: 'app', private: true, version: '1.0.0', dependencies, overrides: dependencies }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, null, 2))
  const result = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: app,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) throw new Error(`Installing the tarballs failed.\n${result.stdout}${result.stderr}`)
  cpSync(join(ROOT, 'scripts/smoke'), app, { recursive: true })
}

function tryOut(box, command, label, report) {
  for (const script of ['core-esm.mjs', 'core-cjs.cjs', 'server-call.mjs']) {
    const [program, ...args] = [...command, script]
    const result = spawnSync(program, args, { cwd: join(box, 'app'), encoding: 'utf8', timeout: 120_000 })
    report(`${script} on ${label}`, result.status === 0, `${result.stdout}${result.stderr}${result.error ?? ''}`)
  }
}
