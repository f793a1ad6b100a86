/**
 * The list of settings, walked out of the schema, with the names derived from each path.
 */
import { z } from 'zod'
import { configSchema, type KeyMeta, keyRegistry } from './schema'

/** A setting: its path in the file, its other names, and what is said of it. */
export interface ConfigKey extends KeyMeta {
  /** The path in the configuration file, such as `sip.listen`. */
  readonly path: string
  /** The environment variable, such as `CARILLON_SIP_LISTEN`. */
  readonly env: string
  /** The flag without its dashes, such as `sip-listen`. */
  readonly flag: string
  readonly schema: z.ZodType
}

/** Every setting, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = [...walk(configSchema, [])]

/** Settings by the path in the file. */
export const configKeyByPath: ReadonlyMap<string, ConfigKey> = new Map(configKeys.map((key) => [key.path, key]))

function* walk(schema: z.ZodType, path: readonly string[]): Generator<ConfigKey> {
  const meta = keyRegistry.get(schema)
  if (meta) {
    const words = path.flatMap((part) => part.split(/(?=[A-Z])/)).map((word) => word.toLowerCase())
    yield {
      ...meta,
      path: path.join('.'),
      env: `CARILLON_${words.join('_').toUpperCase()}`,
      flag: words.join('-'),
      schema,
    }
    return
  }
  if (!(schema instanceof z.ZodObject)) throw new Error(`setting ${path.join('.')} says nothing of itself`)
  for (const [name, part] of Object.entries(schema.shape)) yield* walk(part as z.ZodType, [...path, name])
}
