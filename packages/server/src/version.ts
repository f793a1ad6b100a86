/** The version of this package. */
import packageJson from '../package.json' with { type: 'json' }

/** The version, such as `1.2.3`. */
export const VERSION: string = packageJson.version
