import { invalidArgument } from "../domain/error.ts";
import type { ShippingSettings } from "../domain/kafka.ts";

/** What of the connection to Kafka only makes sense together. @throws {SetlistError} INVALID_ARGUMENT naming the setting. */
export function checkShipping(shipping: ShippingSettings): void {
  const { securityProtocol, saslUsername, saslPassword, tlsCaFile, tlsCertFile, tlsKeyFile } = shipping;
  const needsSasl = securityProtocol.startsWith("SASL");
  const sasl = { saslUsername, saslPassword };
  const [told] = Object.entries(sasl).find(([, value]) => value !== undefined) ?? [];
  if (needsSasl && (saslUsername === undefined || saslPassword === undefined)) {
    throw invalidArgument(
      `shipping.securityProtocol: ${securityProtocol} needs shipping.saslUsername and shipping.saslPassword`,
    );
  }
  if (!needsSasl && told !== undefined) {
    throw invalidArgument(
      `shipping.${told}: nobody is told it with securityProtocol ${securityProtocol}: expected SASL_SSL or SASL_PLAINTEXT`,
    );
  }
  const files = { tlsCaFile, tlsCertFile, tlsKeyFile };
  const [stray] = Object.entries(files).find(([, file]) => file !== undefined) ?? [];
  if (!securityProtocol.endsWith("SSL") && stray !== undefined) {
    throw invalidArgument(`shipping.${stray}: expected securityProtocol SSL or SASL_SSL beside it`);
  }
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    throw invalidArgument(
      "shipping.tlsCertFile: expected with shipping.tlsKeyFile, and that with it, or neither",
    );
  }
}
