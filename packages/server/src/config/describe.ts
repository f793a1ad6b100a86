/**
 * Prints a configuration back: every setting in effect, where it came from, secrets masked.
 */

import { type ConfigKey, configKeys } from './keys'
import { formatListenAddress } from './listen-address'
import type { LoadedConfig } from './load'
import type { EffectiveAddresses } from './resolve'

/** One setting as it is in effect. */
interface EffectiveSetting {
  readonly path: string
  /** The value as text; secrets masked. */
  readonly value: string
  /** Where it came from, such as `default` or `CARILLON_DOMAIN`. */
  readonly origin: string
}

/** Lists every setting in effect. What `auto` comes to stands behind it in brackets. */
function effectiveSettings(loaded: LoadedConfig, addresses: EffectiveAddresses): EffectiveSetting[] {
  return configKeys.map((key) => ({
    path: key.path,
    value: shownValue(key, loaded, addresses),
    origin: loaded.origins.get(key.path)?.name ?? 'default',
  }))
}

/** The lines that `carillon check-config` prints. */
export function describeConfig(loaded: LoadedConfig, addresses: EffectiveAddresses): string {
  const settings = effectiveSettings(loaded, addresses)
  const nameWidth = Math.max(...settings.map((setting) => setting.path.length))
  const valueWidth = Math.min(48, Math.max(...settings.map((setting) => setting.value.length)))
  const lines = settings.map(
    ({ path, value, origin }) => `${path.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${origin}`,
  )
  return `${lines.join('\n')}\n`
}

function shownValue(key: ConfigKey, loaded: LoadedConfig, addresses: EffectiveAddresses): string {
  const { config } = loaded
  switch (key.path) {
    case 'users':
      return config.users.length === 0
        ? '(none here: users.json in the data directory)'
        : config.users.map((user) => `${user.extension}:******`).join(',')
    case 'dataDir':
      return config.dataDir
    case 'domain':
      return withMeaning(config.domain, addresses.domain)
    case 'advertisedAddress':
      return withMeaning(config.advertisedAddress, addresses.serverAddress)
    case 'media.address':
      return withMeaning(
        config.media.address.join(',') || 'auto',
        addresses.media.map((item) => item.address).join(','),
      )
    case 'media.advertisedAddress': {
      const told = addresses.media.map((item) => item.advertisedAddress ?? item.address).join(',')
      return withMeaning(config.media.advertisedAddress, told)
    }
    case 'sip.listen':
      return config.sip.listen.map(formatListenAddress).join(',')
    case 'media.ports':
      return `${config.media.ports.min}-${config.media.ports.max}`
    default:
      return key.isSecret ? '******' : plain(loaded.given.get(key.path))
  }
}

function withMeaning(given: string, meaning: string): string {
  return given === meaning || given !== 'auto' ? given : `auto (${meaning})`
}

function plain(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}
