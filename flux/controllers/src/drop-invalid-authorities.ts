import { X509Certificate } from 'node:crypto';
import type { DeliveryPorts } from '@capstan/engine-delivery';
import type { DesiredObject } from '@capstan/engine-render';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { valueAt } from '@capstan/lib-std';

type Render = DeliveryPorts['render'];

/**
 * As the original before it applies: a definition whose conversion webhook has an authority that is none (`Cg==`, a mark that
 * something fills in later) is applied without it, since Kubernetes refuses it from 1.31 on.
 */
export function withoutInvalidAuthorities(render: Render): Render {
  return async (snapshot, spec, options) => {
    const rendered = await render(snapshot, spec, options);
    return rendered.objects.some(hasInvalidAuthority)
      ? { ...rendered, objects: rendered.objects.map(withoutAuthority) }
      : rendered;
  };
}

function hasInvalidAuthority({ object }: DesiredObject): boolean {
  const given =
    object.kind === 'CustomResourceDefinition' ? webhookOf(object)?.['caBundle'] : undefined;
  return typeof given === 'string' && given !== '' && !isAuthority(given);
}

function webhookOf(object: KubeObject): JsonObject | undefined {
  const found = valueAt(object, 'spec', 'conversion', 'webhook', 'clientConfig');
  return typeof found === 'object' && found !== null ? (found as JsonObject) : undefined;
}

function isAuthority(given: string): boolean {
  const text = given.replace(/[\r\n]/g, '');
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;
  const pem = isBase64 ? Buffer.from(text, 'base64').toString('latin1') : '';
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.some((block) => {
    try {
      return new X509Certificate(block).subject !== undefined;
    } catch {
      return false;
    }
  });
}

function withoutAuthority(desired: DesiredObject): DesiredObject {
  if (!hasInvalidAuthority(desired)) return desired;
  const object = structuredClone(desired.object);
  Reflect.deleteProperty(webhookOf(object) ?? {}, 'caBundle');
  return { ...desired, object };
}
