/**
 * Reads the configuration: defaults, then the file, then the environment, then flags; the later wins, setting by
 * setting. Every error is one line that names the setting, what it holds (never a secret) and what it accepts.
 */
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ServerError } from '../errors'
import { CONFIG_FILE_BYTES_MAX } from '../limits'
import { type ConfigKey, configKeyByPath, configKeys } from './keys'
import { type Config, configSchema } from './schema'
import { nearestName } from './suggest'

/** Where the value of a setting came from. */
export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag'
  /** The name it has there: `domain in FILE`, `CARILLON_DOMAIN`, `--domain`. */
  readonly name: string
}

/** What the loader reads from. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Flags that were given, by flag name without dashes. */
  readonly flags: Readonly<Record<string, string>>
  /** The file that --config named, if it did. */
  readonly configFile?: string
  /** What relative paths start from. */
  readonly cwd: string
}

/** A configuration, and how it came to be. */
export interface LoadedConfig {
  readonly config: Config
  readonly origins: ReadonlyMap<string, Origin>
  /** Each value as it was given, in the text or JSON form of its source. */
  readonly given: ReadonlyMap<string, unknown>
  /** The file that was read, if any. */
  readonly file: string | undefined
}

const ENVIRONMENT_PREFIX = 'CARILLON_'

/** The environment variable that names the configuration file. */
export const CONFIG_FILE_VARIABLE = 'CARILLON_CONFIG'

/** The file that is read from the data directory when no other is named. */
export const CONFIG_FILE_NAME = 'carillon.json'

interface Layer {
  readonly values: Map<string, unknown>
  readonly origins: Map<string, Origin>
}

/**
 * Loads and checks the configuration.
 *
 * @throws ServerError with code CONFIG_INVALID, CONFIG_UNKNOWN_KEY or CONFIG_FILE_UNREADABLE
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const layer: Layer = { values: new Map(), origins: new Map() }
  for (const key of configKeys) put(layer, key, key.default, { kind: 'default', name: 'default' })
  const above: Layer = { values: new Map(), origins: new Map() }
  readEnvironment(above, sources.env)
  readFlags(above, sources.flags)
  const file = findFile(sources, above)
  if (file) readFile(layer, file)
  for (const [path, value] of above.values) {
    layer.values.set(path, value)
    layer.origins.set(path, above.origins.get(path) as Origin)
  }
  return { config: check(layer, sources.cwd), origins: layer.origins, given: layer.values, file: file?.path }
}

/**
 * Makes a configuration from values in the form of the configuration file, for a program that embeds the server.
 *
 * @throws ServerError with code CONFIG_INVALID or CONFIG_UNKNOWN_KEY
 */
export function configFrom(values: Readonly<Record<string, unknown>>, cwd: string = process.cwd()): Config {
  const layer: Layer = { values: new Map(), origins: new Map() }
  for (const key of configKeys) put(layer, key, key.default, { kind: 'default', name: 'default' })
  readObject(layer, values, [], { path: 'the settings handed in', isInDataDir: false })
  return check(layer, cwd)
}

function put(layer: Layer, key: ConfigKey, value: unknown, origin: Origin): void {
  layer.values.set(key.path, value)
  layer.origins.set(key.path, origin)
}

function readEnvironment(layer: Layer, env: ConfigSources['env']): void {
  const byName = new Map(configKeys.map((key) => [key.env, key]))
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || name === CONFIG_FILE_VARIABLE || value === undefined) continue
    const key = byName.get(name)
    if (key) put(layer, key, value, { kind: 'environment', name })
    else refuseTypo(name, [...byName.keys(), CONFIG_FILE_VARIABLE])
  }
}

/**
 * A variable that looks like a mistyped setting is refused; any other is somebody else's, such as the ones that
 * Kubernetes sets for a service named carillon.
 */
function refuseTypo(name: string, known: readonly string[]): void {
  const bare = (variable: string): string => variable.slice(ENVIRONMENT_PREFIX.length)
  const near = nearestName(bare(name), known.map(bare))
  if (near === undefined) return
  const message = `environment variable ${printable(name)} is not a setting; did you mean ${ENVIRONMENT_PREFIX}${near}?`
  throw new ServerError('CONFIG_UNKNOWN_KEY', message)
}

function readFlags(layer: Layer, flags: ConfigSources['flags']): void {
  const byName = new Map(configKeys.map((key) => [key.flag, key]))
  for (const [name, value] of Object.entries(flags)) {
    const key = byName.get(name)
    if (!key) throw unknown(`flag --${printable(name)}`, name, [...byName.keys()], '--')
    put(layer, key, value, { kind: 'flag', name: `--${name}` })
  }
}

interface FoundFile {
  readonly path: string
  /** True when it was found in the data directory, and so cannot move it. */
  readonly isInDataDir: boolean
}

function findFile(sources: ConfigSources, above: Layer): FoundFile | undefined {
  const named = sources.configFile ?? sources.env[CONFIG_FILE_VARIABLE]
  if (named !== undefined) return { path: resolve(sources.cwd, named), isInDataDir: false }
  const dataDir = above.values.get('dataDir') ?? configKeyByPath.get('dataDir')?.default
  const path = join(resolve(sources.cwd, String(dataDir)), CONFIG_FILE_NAME)
  return statSync(path, { throwIfNoEntry: false }) ? { path, isInDataDir: true } : undefined
}

function readFile(layer: Layer, file: FoundFile): void {
  let json: unknown
  try {
    const size = statSync(file.path).size
    if (size > CONFIG_FILE_BYTES_MAX) throw new Error(`it is longer than ${CONFIG_FILE_BYTES_MAX} bytes`)
    json = JSON.parse(readFileSync(file.path, 'utf8'))
  } catch (error) {
    // A JSON error quotes the text around the mistake, and that may be a password.
    const reason = error instanceof SyntaxError ? `it is not JSON${placeOf(error)}` : (error as Error).message
    throw new ServerError('CONFIG_FILE_UNREADABLE', `configuration file ${printable(file.path)}: ${printable(reason)}`)
  }
  readObject(layer, json, [], file)
}

function readObject(layer: Layer, json: unknown, path: readonly string[], file: FoundFile): void {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    const where = path.length === 0 ? 'the file' : `"${path.join('.')}"`
    const held = Array.isArray(json) ? 'a list' : json === null ? 'null' : `a ${typeof json}`
    throw new ServerError('CONFIG_INVALID', `${where} in ${printable(file.path)} holds ${held}; it accepts an object`)
  }
  for (const [name, value] of Object.entries(json)) {
    const full = [...path, name].join('.')
    const key = configKeyByPath.get(full)
    if (key) {
      if (full === 'dataDir' && file.isInDataDir) {
        const said = 'is in the data directory itself and cannot move it; use --data-dir or CARILLON_DATA_DIR'
        throw new ServerError(
          'CONFIG_INVALID',
          `"dataDir" in ${printable(file.path)} holds ${show(value)}, but that file ${said}`,
        )
      }
      put(layer, key, value, { kind: 'file', name: `"${full}" in ${printable(file.path)}` })
    } else if ([...configKeyByPath.keys()].some((known) => known.startsWith(`${full}.`))) {
      readObject(layer, value, [...path, name], file)
    } else {
      throw unknown(`"${printable(full)}" in ${printable(file.path)}`, full, [...configKeyByPath.keys()])
    }
  }
}

function check(layer: Layer, cwd: string): Config {
  for (const key of configKeys) {
    const value = layer.values.get(key.path)
    if (!key.schema.safeParse(value).success) throw invalid(layer, key, value)
  }
  const config = configSchema.parse(nest(layer.values))
  for (const path of ['registration.maxSeconds', 'registration.defaultSeconds']) {
    const key = configKeyByPath.get(path) as ConfigKey
    const value = path.endsWith('maxSeconds') ? config.registration.maxSeconds : config.registration.defaultSeconds
    const low = config.registration.minSeconds
    const high = path.endsWith('maxSeconds') ? 604_800 : config.registration.maxSeconds
    if (value < low || value > high) {
      throw invalid(layer, key, value, `a whole number of seconds from ${low} (registration.minSeconds) to ${high}`)
    }
  }
  return { ...config, dataDir: resolve(cwd, config.dataDir) }
}

function nest(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [path, value] of values) {
    const parts = path.split('.')
    let at = root
    for (const part of parts.slice(0, -1)) {
      at[part] ??= {}
      at = at[part] as Record<string, unknown>
    }
    at[parts.at(-1) as string] = value
  }
  return root
}

function invalid(layer: Layer, key: ConfigKey, value: unknown, accepts = key.accepts): ServerError {
  const origin = layer.origins.get(key.path)
  const name = origin === undefined || origin.kind === 'default' ? key.path : origin.name
  const held = key.isSecret ? 'a value that is not shown here' : show(value)
  return new ServerError('CONFIG_INVALID', `${name} holds ${held}; it accepts ${accepts}`)
}

function unknown(what: string, name: string, known: readonly string[], prefix = ''): ServerError {
  const near = nearestName(name, known)
  const hint = near === undefined ? '`carillon --help` lists what there is' : `did you mean ${prefix}${near}?`
  return new ServerError('CONFIG_UNKNOWN_KEY', `${what} is not a setting; ${hint}`)
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value))
  return printable(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
}

function placeOf(error: SyntaxError): string {
  const match = /line (\d+) column (\d+)/.exec(error.message) ?? undefined
  return match ? ` (line ${match[1]}, column ${match[2]})` : ''
}
