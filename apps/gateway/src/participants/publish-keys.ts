import { GATEWAY_KEY_USES, type GatewayKeys } from '#partners';
import { type Config, loadSigner, type PublicJwks, readPastKeys } from '#platform';

/** Everything that we sign or signed for partners with: current, announced and replaced keys, as they are at this moment. */
export function publishKeys(config: Config, keys: GatewayKeys): () => PublicJwks {
  const exporting = loadSigner(config, 'export').publicJwk;
  return () => ({
    keys: [...keys.published(), exporting, ...GATEWAY_KEY_USES.flatMap((use) => readPastKeys(config, use))],
  });
}
