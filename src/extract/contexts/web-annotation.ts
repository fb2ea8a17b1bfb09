import type { ContextDocument } from "./terms.ts";
import { ADDRESS, terms } from "./terms.ts";

/**
 * The context of Web Annotations, built from the vocabulary's tables. Source: W3C "Web Annotation Vocabulary"
 * (Recommendation, 2017-02-23), Appendix A, `http://www.w3.org/ns/anno.jsonld`; read 2026-11-24.
 */
export function webAnnotationContext(): ContextDocument {
  return {
    "@context": {
      oa: "http://www.w3.org/ns/oa#",
      dc: "http://purl.org/dc/elements/1.1/",
      dcterms: "http://purl.org/dc/terms/",
      dctypes: "http://purl.org/dc/dcmitype/",
      foaf: "http://xmlns.com/foaf/0.1/",
      rdf: "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
      rdfs: "http://www.w3.org/2000/01/rdf-schema#",
      skos: "http://www.w3.org/2004/02/skos/core#",
      xsd: "http://www.w3.org/2001/XMLSchema#",
      iana: "http://www.iana.org/assignments/relation/",
      owl: "http://www.w3.org/2002/07/owl#",
      as: "http://www.w3.org/ns/activitystreams#",
      schema: "http://schema.org/",
      id: { "@type": "@id", "@id": "@id" },
      type: { "@type": "@id", "@id": "@type" },
      ...terms("oa:", CLASSES),
      ...terms("oa:", MOTIVATIONS),
      ...terms("oa:", RELATIONS, ADDRESS),
      ...terms("oa:", "motivation=oa:motivatedBy purpose=oa:hasPurpose", { "@type": "@vocab" }),
      ...terms("as:", "items", { "@type": "@id", "@container": "@list" }),
      ...terms("oa:", PROPERTIES),
    },
  };
}

const CLASSES = `
  Annotation Content TextualBody ResourceSelection SpecificResource FragmentSelector CssSelector XPathSelector
  TextQuoteSelector TextPositionSelector DataPositionSelector SvgSelector RangeSelector TimeState Choice
  HttpState=oa:HttpRequestState CssStylesheet=oa:CssStyle Dataset=dctypes:Dataset Image=dctypes:StillImage
  Video=dctypes:MovingImage Audio=dctypes:Sound Text=dctypes:Text Person=foaf:Person Organization=foaf:Organization
  Software=as:Application AnnotationCollection=as:OrderedCollection AnnotationPage=as:OrderedCollectionPage
  Audience=schema:Audience`;
const MOTIVATIONS = `
  Motivation bookmarking classifying commenting describing editing highlighting identifying linking moderating
  questioning replying reviewing tagging`;
const RELATIONS = `
  refinedBy renderedVia via canonical body=oa:hasBody target=oa:hasTarget source=oa:hasSource selector=oa:hasSelector
  state=oa:hasState scope=oa:hasScope startSelector=oa:hasStartSelector endSelector=oa:hasEndSelector
  stylesheet=oa:styledBy cached=oa:cachedSource creator=dcterms:creator rights=dcterms:rights
  conformsTo=dcterms:conformsTo generator=as:generator partOf=as:partOf first=as:first last=as:last next=as:next
  prev=as:prev homepage=foaf:homepage audience=schema:audience`;
const PROPERTIES = `
  bodyText text start end exact prefix suffix sourceDate sourceDateStart sourceDateEnd styleClass format=dc:format
  language=dc:language created=dcterms:created modified=dcterms:modified generated=dcterms:issued value=rdf:value
  name=foaf:name email=foaf:mbox email_sha1=foaf:mbox_sha1sum account=foaf:nick label=rdfs:label total=as:totalItems
  startIndex=as:startIndex`;
