/** Functions of ClickHouse 26.7 that POST /query/ refuses, by the reason. */
export const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  'reads dictionaries, tables, models and files': `
    dictGet dictGetAll dictGetChildren dictGetDate dictGetDateOrDefault dictGetDateTime dictGetDateTimeOrDefault dictGetDescendants dictGetFloat32
    dictGetFloat32OrDefault dictGetFloat64 dictGetFloat64OrDefault dictGetHierarchy dictGetIPv4 dictGetIPv4OrDefault dictGetIPv6
    dictGetIPv6OrDefault dictGetInt16 dictGetInt16OrDefault dictGetInt32 dictGetInt32OrDefault dictGetInt64 dictGetInt64OrDefault dictGetInt8
    dictGetInt8OrDefault dictGetKeys dictGetOrDefault dictGetOrNull dictGetRoot dictGetString dictGetStringOrDefault dictGetUInt16
    dictGetUInt16OrDefault dictGetUInt32 dictGetUInt32OrDefault dictGetUInt64 dictGetUInt64OrDefault dictGetUInt8 dictGetUInt8OrDefault dictGetUUID
    dictGetUUIDOrDefault dictHas dictIsIn evalMLMethod naiveBayesClassifier naiveBayesClassifierWithAllProbs naiveBayesClassifierWithProb
    regionHierarchy regionIn regionToArea regionToCity regionToContinent regionToCountry regionToDistrict regionToName regionToPopulation
    regionToTopContinent catboostEvaluate file hasColumnInTable joinGet joinGetOrNull chdb
  `,
  'asks a service': `
    AIClassify AIExtract AIGenerate AITranslate aiClassify aiEmbed aiExtract aiGenerate aiTranslate
  `,
  'discloses the server, its settings, its users or this connection': `
    DATABASE FQDN SCHEMA authUser authenticatedUser buildId connectionId connection_id currentDatabase currentProfiles currentQueryID currentRoles
    currentSchemas currentUser current_database current_query_id current_schemas current_user defaultProfiles defaultRoles displayName
    enabledProfiles enabledRoles filesystemAvailable filesystemCapacity filesystemUnreserved fullHostName generateSerialID getClientHTTPHeader
    getMacro getMaxTableNameLengthForDatabase getMergeTreeSetting getOSKernelVersion getServerPort getServerSetting getSetting getSettingOrDefault
    globalVariable hasThreadFuzzer hostName hostname initialQueryID initialQueryStartTime initial_query_id initial_query_start_time partitionID
    partitionId queryID query_id revision serverUUID session_user shardCount shardNum showCertificate tcpPort transactionID
    transactionLatestSnapshot transactionOldestSnapshot uptime user version zookeeperSessionUptime localtime serverTimeZone serverTimezone timeZone
    timezone
  `,
  'looks into the engine': `
    addressToLine addressToLineWithInlines addressToSymbol demangle isMergeTreePartCoveredBy logTrace mergeTreePartInfo tid __actionName
    __applyFilter __bitBoolMaskAnd __bitBoolMaskOr __bitSwapLastTwo __bitWrapperFunc __getScalar __patchPartitionID __scalarSubqueryResult
    __toYearCalendarOnly nested validateNestedArraySizes blockNumber blockSerializedSize blockSize defaultValueOfArgumentType defaultValueOfTypeName
    dumpColumnStructure getSizeOfEnumType getTypeSerializationStreams icebergBucket icebergTruncate indexHint isConstant lowCardinalityIndices
    lowCardinalityKeys toColumnTypeName aggThrow estimateCompressionRatio flameGraph nothing nothingNull nothingUInt64 isDynamicElementInSharedData
  `,
  'depends on other rows, on their order, or on chance': `
    fuzzBits randBernoulli randBinomial randChiSquared randConstant randExponential randFisherF randLogNormal randNegativeBinomial randNormal
    randPoisson randStudentT randUniform randomFixedString randomPrintableASCII randomString randomStringUTF8 generateRandomStructure neighbor
    rowNumberInAllBlocks rowNumberInBlock runningAccumulate runningConcurrency runningDifference runningDifferenceStartingWithFirstValue
    arrayPartialShuffle arrayRandomSample arrayShuffle dateTimeToUUIDv7 generateSnowflakeID generateUUIDv4 generateUUIDv7 nowInBlock nowInBlock64
  `,
  'waits or fails on purpose': `
    sleep sleepEachRow throwIf
  `,
  'parses statements, or writes formats and schemas': `
    formatQuery formatQueryOrNull formatQuerySingleLine formatQuerySingleLineOrNull fuzzQuery highlightQuery normalizeQuery normalizeQueryKeepNames
    normalizedQueryHash normalizedQueryHashKeepNames obfuscateQuery obfuscateQueryWithSeed structureToCapnProtoSchema structureToProtobufSchema
    tokenizeQuery groupFormat formatRow formatRowNoNewline highlight tokensForLikePattern
  `,
  'sends the statement to other servers': `
    globalIn globalInIgnoreSet globalNotIn globalNotInIgnoreSet globalNotNullIn globalNotNullInIgnoreSet globalNullIn globalNullInIgnoreSet
    inIgnoreSet notInIgnoreSet notNullInIgnoreSet nullInIgnoreSet
  `,
  'takes time with the square of the length, or programs of its own': `
    extractAllGroups extractAllGroupsHorizontal extractAllGroupsVertical arrayAutocorrelation arrayLevenshteinDistance arrayLevenshteinDistanceWeighted arraySimilarity damerauLevenshteinDistance editDistance
    editDistanceUTF8 jaroSimilarity jaroWinklerSimilarity levenshteinDistance levenshteinDistanceUTF8 sparseGrams sparseGramsHashes
    sparseGramsHashesUTF8 sparseGramsUTF8 stringJaccardIndex stringJaccardIndexUTF8 multiFuzzyMatchAllIndices multiFuzzyMatchAny
    multiFuzzyMatchAnyIndex multiMatchAllIndices multiMatchAny multiMatchAnyIndex
  `,
  'has keys in the statement': `
    HMAC aes_decrypt_mysql aes_encrypt_mysql decrypt encrypt tryDecrypt
  `,
  'is rarely of use for events, and not looked at': `
    colorOKLABToSRGB colorOKLCHToSRGB colorSRGBToOKLAB colorSRGBToOKLCH flipCoordinates L2DistanceTransposed L2DistanceTransposedQuantized
    cosineDistanceTransposed cosineDistanceTransposedQuantized distanceCosineTransposed distanceL2Transposed dotProductTransposed
    dotProductTransposedQuantized scalarProductTransposed MGRSToGeo MVTBoundingBox MVTBoundingBoxMercator SVG UTMToGeo WKB WKT areaCartesian
    areaSpherical geoToMGRS geoToUTM geohashesInBox geometryIntersectCartesian geometryIntersectSpherical h3CellAreaM2 h3CellAreaRads2 h3Distance
    h3EdgeAngle h3EdgeLengthKm h3EdgeLengthM h3ExactEdgeLengthKm h3ExactEdgeLengthM h3ExactEdgeLengthRads h3GetBaseCell
    h3GetDestinationIndexFromUnidirectionalEdge h3GetFaces h3GetIndexesFromUnidirectionalEdge h3GetOriginIndexFromUnidirectionalEdge
    h3GetPentagonIndexes h3GetRes0Indexes h3GetUnidirectionalEdge h3GetUnidirectionalEdgeBoundary h3GetUnidirectionalEdgesFromHexagon h3HexAreaKm2
    h3HexAreaM2 h3HexRing h3IndexesAreNeighbors h3IsPentagon h3IsResClassIII h3IsValid h3Line h3NumHexagons h3PointDistKm h3PointDistM
    h3PointDistRads h3PolygonToCells h3PolygonToCellsWithContainment h3ToCenterChild h3ToChildren h3ToGeoBoundary h3UnidirectionalEdgeIsValid
    h3kRing perimeterCartesian perimeterSpherical polygonsIntersectCartesian polygonsIntersectSpherical readWKB readWKT readWkb readWkt svg wkb wkt
    MVTEncode ST_AsMVT groupNumericIndexedVector sequenceNextNode stochasticLinearRegression stochasticLogisticRegression timeSeriesChangesToGrid
    timeSeriesDeltaToGrid timeSeriesDerivToGrid timeSeriesGroupArray timeSeriesIncreaseToGrid timeSeriesInstantDeltaToGrid
    timeSeriesInstantRateToGrid timeSeriesLastToGrid timeSeriesLastTwoSamples timeSeriesPredictLinearToGrid timeSeriesRateToGrid
    timeSeriesResampleToGridWithStaleness timeSeriesResetsToGrid MVTEncodeGeom ST_AsMVTGeom ST_LineFromWKB ST_MLineFromWKB ST_MPolyFromWKB
    ST_PointFromWKB ST_PolyFromWKB polygonAreaCartesian polygonAreaSpherical polygonConvexHullCartesian polygonPerimeterCartesian
    polygonPerimeterSpherical polygonsDistanceCartesian polygonsDistanceSpherical polygonsEqualsCartesian polygonsIntersectionCartesian
    polygonsIntersectionSpherical polygonsSymDifferenceCartesian polygonsSymDifferenceSpherical polygonsUnionCartesian polygonsUnionSpherical
    polygonsWithinCartesian polygonsWithinSpherical readWKBLineString readWKBMultiLineString readWKBMultiPolygon readWKBPoint readWKBPolygon
    readWKTLineString readWKTMultiLineString readWKTMultiPolygon readWKTPoint readWKTPolygon readWKTRing arrayNormalizedGini randomHadamardTransform
    dequantizeInt8ToBFloat16 quantizeBFloat16ToInt8 financialInternalRateOfReturn financialInternalRateOfReturnExtended financialNetPresentValue
    financialNetPresentValueExtended naiveBayesNgrams ngramMinHashArg numericIndexedVectorAllValueSum numericIndexedVectorBuild
    numericIndexedVectorCardinality numericIndexedVectorGetValue numericIndexedVectorPointwiseAdd numericIndexedVectorPointwiseDivide
    numericIndexedVectorPointwiseEqual numericIndexedVectorPointwiseGreater numericIndexedVectorPointwiseGreaterEqual
    numericIndexedVectorPointwiseLess numericIndexedVectorPointwiseLessEqual numericIndexedVectorPointwiseMultiply
    numericIndexedVectorPointwiseNotEqual numericIndexedVectorPointwiseSubtract numericIndexedVectorShortDebugString numericIndexedVectorToMap
    seriesDecomposeSTL seriesOutliersDetectTukey timeSeriesCopyTag timeSeriesCopyTags timeSeriesExtractTag timeSeriesFromGrid
    timeSeriesGroupToSamplingKey timeSeriesGroupToTags timeSeriesIdToGroup timeSeriesIdToTags timeSeriesIdToTagsGroup timeSeriesJoinTags
    timeSeriesRange timeSeriesRemoveAllTagsExcept timeSeriesRemoveTag timeSeriesRemoveTags timeSeriesReplaceTag timeSeriesStoreTags
    timeSeriesTagsGroupToTags timeSeriesTagsToGroup timeSeriesThrowDuplicateSeriesIf
  `,
};
